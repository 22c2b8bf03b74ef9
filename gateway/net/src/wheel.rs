//! A timer wheel: many coarse deadlines, one timer. It reads no clock.

use std::num::NonZeroU32;

use slab::Slab;

/// A moment, or a span, in ticks.
pub type Tick = u32;

const SLOTS: usize = 512;

/// Where a slot's entries end.
const END: u32 = u32::MAX;

/// What was scheduled, for whoever wants to take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    at: u32,
    /// Tells it from others that had its place before.
    generation: NonZeroU32,
}

/// Deadlines hashed into slots by tick; the entries of a slot are a list.
///
/// Scheduling and cancelling are O(1); advancing looks at each entry of the slots it passes, where
/// an entry that is due in a later round stays. What has fired or was cancelled takes no memory
/// that the next entry does not reuse.
#[derive(Debug)]
pub struct Wheel<K> {
    first: Box<[u32]>,
    entries: Slab<Entry<K>>,
    generation: NonZeroU32,
    now: Tick,
}

#[derive(Debug)]
struct Entry<K> {
    due: Tick,
    generation: NonZeroU32,
    before: u32,
    next: u32,
    key: K,
}

impl<K> Default for Wheel<K> {
    fn default() -> Self {
        Self {
            first: vec![END; SLOTS].into_boxed_slice(),
            entries: Slab::new(),
            generation: NonZeroU32::MIN,
            now: 0,
        }
    }
}

impl<K> Wheel<K> {
    /// The current tick.
    pub fn now(&self) -> Tick {
        self.now
    }

    /// Schedules `key` for `ticks` from now, and for the next tick where that is zero.
    pub fn schedule(&mut self, ticks: Tick, key: K) -> Timer {
        let due = self.now.wrapping_add(ticks.max(1));
        let generation = self.generation;
        self.generation = generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let entry = Entry {
            due,
            generation,
            before: END,
            next: END,
            key,
        };
        let at = self.entries.insert(entry) as u32;
        self.link(at, due);
        Timer { at, generation }
    }

    /// Takes back what was scheduled; `None` where it has fired or was taken back already.
    pub fn cancel(&mut self, timer: Timer) -> Option<K> {
        let entry = self.entries.get(timer.at as usize)?;
        (entry.generation == timer.generation).then(|| self.remove(timer.at))
    }

    /// Moves on by `ticks` and takes out what is due by then, the earliest first; only after more
    /// than a whole round is the order not kept.
    pub fn advance(&mut self, ticks: Tick) -> Vec<K> {
        self.advance_but(ticks, |_| 0)
    }

    /// As [`Self::advance`], but what is due is asked for how many ticks more it is put off; its
    /// [`Timer`] stays the same.
    pub fn advance_but(&mut self, ticks: Tick, put_off: impl Fn(&K) -> Tick) -> Vec<K> {
        let before = self.now;
        self.now = before.wrapping_add(ticks);
        let mut due = Vec::new();
        for passed in 1..=ticks.min(SLOTS as Tick) {
            let mut at = self.first[slot(before.wrapping_add(passed))];
            while let Some(entry) = self.entries.get(at as usize) {
                let next = entry.next;
                if entry.due.wrapping_sub(before) <= ticks {
                    match put_off(&entry.key) {
                        0 => due.push(self.remove(at)),
                        more => {
                            self.unlink(at);
                            self.link(at, self.now.wrapping_add(more));
                        }
                    }
                }
                at = next;
            }
        }
        due
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn remove(&mut self, at: u32) -> K {
        self.unlink(at);
        self.entries.remove(at as usize).key
    }

    fn link(&mut self, at: u32, due: Tick) {
        let next = std::mem::replace(&mut self.first[slot(due)], at);
        if let Some(next) = self.entries.get_mut(next as usize) {
            next.before = at;
        }
        if let Some(entry) = self.entries.get_mut(at as usize) {
            (entry.due, entry.before, entry.next) = (due, END, next);
        }
    }

    fn unlink(&mut self, at: u32) {
        let Some(entry) = self.entries.get(at as usize) else {
            return;
        };
        let (before, next, slot) = (entry.before, entry.next, slot(entry.due));
        match self.entries.get_mut(before as usize) {
            Some(entry) => entry.next = next,
            None => self.first[slot] = next,
        }
        if let Some(entry) = self.entries.get_mut(next as usize) {
            entry.before = before;
        }
    }
}

fn slot(due: Tick) -> usize {
    due as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fires_once_at_its_tick() {
        let mut wheel = Wheel::default();
        wheel.schedule(3, 'a');
        let fired: Vec<_> = (0..5).map(|_| wheel.advance(1)).collect();
        assert_eq!(fired, [vec![], vec![], vec!['a'], vec![], vec![]]);
    }

    #[test]
    fn an_entry_further_away_than_the_wheel_waits_its_rounds() {
        let mut wheel = Wheel::default();
        wheel.schedule(1_300, 'a');
        let at = (1..2_000).find(|_| !wheel.advance(1).is_empty());
        assert_eq!(at, Some(1_300));
        assert!(wheel.is_empty());
    }

    #[test]
    fn an_entry_for_now_fires_at_the_next_tick() {
        let mut wheel = Wheel::default();
        wheel.schedule(0, 'a');
        assert_eq!(wheel.advance(1), ['a']);
    }

    #[test]
    fn all_that_came_due_meanwhile_fires_at_once_and_the_rest_at_its_tick() {
        for rounds in [0, 1, 2, 5] {
            let mut wheel = Wheel::default();
            let far = rounds * SLOTS as Tick;
            for ticks in [far + 4, far + 3, far + 9] {
                wheel.schedule(ticks, ticks);
            }
            let mut due = wheel.advance(far + 4);
            due.sort_unstable();
            assert_eq!(due, [far + 3, far + 4]);
            assert!(wheel.advance(4).is_empty());
            assert_eq!(wheel.advance(1), [far + 9]);
        }
    }

    #[test]
    fn what_was_taken_back_neither_fires_nor_takes_memory() {
        let mut wheel = Wheel::default();
        let timers: Vec<_> = (0..3).map(|n| wheel.schedule(2, n)).collect();
        assert_eq!(wheel.cancel(timers[1]), Some(1));
        assert_eq!(wheel.cancel(timers[1]), None);
        assert_eq!(wheel.len(), 2);
        let mut due = wheel.advance(2);
        due.sort_unstable();
        assert_eq!(due, [0, 2]);
        assert!(timers.iter().all(|timer| wheel.cancel(*timer).is_none()));
    }

    #[test]
    fn a_timer_that_has_fired_does_not_take_back_the_one_in_its_place() {
        let mut wheel = Wheel::default();
        let fired = wheel.schedule(1, 'a');
        wheel.advance(1);
        wheel.schedule(1, 'b');
        assert_eq!(wheel.cancel(fired), None);
        assert_eq!(wheel.advance(1), ['b']);
    }

    #[test]
    fn what_is_put_off_fires_later_and_can_still_be_taken_back() {
        let mut wheel = Wheel::default();
        let timers = ['a', 'b'].map(|key| wheel.schedule(5, key));
        assert_eq!(wheel.advance_but(10, |_| 3), []);
        assert_eq!(wheel.advance(2), []);
        assert_eq!(wheel.cancel(timers[0]), Some('a'));
        assert_eq!(wheel.advance(1), ['b']);
    }

    #[test]
    fn entries_of_one_slot_can_be_taken_back_in_any_order() {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut wheel = Wheel::default();
            let timers: Vec<_> = (0..3).map(|n| wheel.schedule(1 + n * 512, n)).collect();
            for n in order {
                assert_eq!(wheel.cancel(timers[n]), Some(n as Tick));
            }
            assert!(wheel.is_empty());
            assert!(wheel.advance(2_000).is_empty());
        }
    }
}
