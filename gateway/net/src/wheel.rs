//! A timer wheel: many coarse deadlines, one timer.

/// A moment, in ticks since the wheel began.
pub type Tick = u32;

const SLOTS: usize = 512;

/// Deadlines hashed into slots by tick.
///
/// Scheduling is O(1); advancing looks at each entry of the slots it passes, where an entry that
/// is due in a later round stays. An entry cannot be cancelled: its owner looks, when it fires,
/// whether it still matters.
#[derive(Debug)]
pub struct Wheel<K> {
    slots: Box<[Vec<(Tick, K)>]>,
    now: Tick,
}

impl<K> Default for Wheel<K> {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
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
    pub fn schedule(&mut self, ticks: Tick, key: K) {
        let due = self.now.wrapping_add(ticks.max(1));
        self.slots[due as usize % SLOTS].push((due, key));
    }

    /// Moves on by one tick and takes out what is due.
    pub fn advance(&mut self) -> Vec<K> {
        self.now = self.now.wrapping_add(1);
        let now = self.now;
        let slot = &mut self.slots[now as usize % SLOTS];
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(slot)
            .into_iter()
            .partition(|(at, _)| *at == now);
        *slot = later;
        due.into_iter().map(|(_, key)| key).collect()
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fires_once_at_its_tick() {
        let mut wheel = Wheel::default();
        wheel.schedule(3, 'a');
        let fired: Vec<_> = (0..5).map(|_| wheel.advance()).collect();
        assert_eq!(fired, [vec![], vec![], vec!['a'], vec![], vec![]]);
    }

    #[test]
    fn an_entry_further_away_than_the_wheel_waits_its_rounds() {
        let mut wheel = Wheel::default();
        wheel.schedule(1_300, 'a');
        let at = (1..2_000).find(|_| !wheel.advance().is_empty());
        assert_eq!(at, Some(1_300));
        assert!(wheel.is_empty());
    }

    #[test]
    fn an_entry_for_now_fires_at_the_next_tick() {
        let mut wheel = Wheel::default();
        wheel.schedule(0, 'a');
        assert_eq!(wheel.advance(), ['a']);
    }
}
