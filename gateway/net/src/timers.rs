//! A worker's deadlines, and what becomes of them when its process was paused.
//!
//! A process may be stopped, starved or frozen with its machine, and what clients sent meanwhile
//! is unread when it goes on. So there are two ways to count time: *by the clock*, for what others
//! wait for, and *awake*, in which a pause is one tick long, for how long is waited for others.
//! With the second, nobody is late because of a pause, and there is a whole tick after it in which
//! what came meanwhile is read.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::wheel::{Tick, Timer, Wheel};

/// A tick, by both ways to count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Ticks by the clock.
    pub now: Tick,
    /// Ticks without those that passed while the process was paused.
    pub awake: Tick,
    /// Whether this is the first tick after a pause: what came meanwhile may be unread.
    pub resumed: bool,
}

/// Deadlines of one worker, all of them served by one timer of the runtime.
///
/// Whoever schedules owns the [`Timer`], and cancels it when what it is about has gone.
#[derive(Debug)]
pub struct Timers<K> {
    tick: Duration,
    wheel: RefCell<Wheel<Planned<K>>>,
    time: Cell<Time>,
    next: Cell<Instant>,
}

#[derive(Debug)]
struct Planned<K> {
    key: K,
    /// When it is due in ticks awake, if that is how it is counted.
    awake: Option<Tick>,
}

impl<K> Timers<K> {
    /// No deadlines yet; ticks last `tick`, and begin now.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn new(tick: Duration) -> Self {
        Self {
            tick,
            wheel: RefCell::default(),
            time: Cell::default(),
            next: Cell::new(Instant::now() + tick),
        }
    }

    /// How long a tick is.
    pub fn tick(&self) -> Duration {
        self.tick
    }

    /// The last tick that has passed.
    pub fn time(&self) -> Time {
        self.time.get()
    }

    /// How many deadlines wait.
    pub fn len(&self) -> usize {
        self.wheel.borrow().len()
    }

    /// Whether no deadline waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many ticks as are never shorter than `duration`, from anywhere within a tick.
    pub fn ticks(&self, duration: Duration) -> Tick {
        let ticks = duration
            .as_millis()
            .div_ceil(self.tick.as_millis().max(1))
            .saturating_add(1);
        Tick::try_from(ticks)
            .unwrap_or(Tick::MAX)
            .min(Tick::MAX / 2)
    }

    /// Schedules `key` for `ticks` from now, by the clock.
    pub fn by_the_clock(&self, ticks: Tick, key: K) -> Timer {
        let planned = Planned { key, awake: None };
        self.wheel.borrow_mut().schedule(ticks, planned)
    }

    /// Schedules `key` for `ticks` from now, not counting those of a pause.
    pub fn awake(&self, ticks: Tick, key: K) -> Timer {
        let awake = Some(self.time.get().awake.wrapping_add(ticks));
        let planned = Planned { key, awake };
        self.wheel.borrow_mut().schedule(ticks, planned)
    }

    /// Takes back what was scheduled, if it has not fired.
    pub fn cancel(&self, timer: Timer) -> Option<K> {
        let planned = self.wheel.borrow_mut().cancel(timer);
        planned.map(|planned| planned.key)
    }

    /// Waits for the next tick, and takes out what is due by it.
    pub async fn due(&self) -> Vec<K> {
        sleep_until(self.next.get()).await;
        self.pass(Instant::now())
    }

    fn pass(&self, now: Instant) -> Vec<K> {
        let late = now.saturating_duration_since(self.next.get());
        let missed = late.as_nanos() / self.tick.as_nanos().max(1);
        let missed = Tick::try_from(missed).unwrap_or(Tick::MAX / 2);
        let paused = missed > 0;
        let since = if paused { now } else { self.next.get() };
        self.next.set(since + self.tick);
        let time = self.time.get();
        self.time.set(Time {
            now: time.now.wrapping_add(missed).wrapping_add(1),
            awake: time.awake.wrapping_add(1),
            resumed: paused,
        });
        self.take_due(missed.saturating_add(1))
    }

    fn take_due(&self, ticks: Tick) -> Vec<K> {
        let awake = self.time.get().awake;
        let left = |planned: &Planned<K>| {
            let left = planned.awake.map_or(0, |at| at.wrapping_sub(awake));
            if left > Tick::MAX / 2 { 0 } else { left }
        };
        let due = self.wheel.borrow_mut().advance_but(ticks, left);
        due.into_iter().map(|planned| planned.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Timers of a tick a second, and what fires when they are late by so many seconds each time.
    struct Late(Timers<char>);

    impl Late {
        fn new() -> Self {
            Self(Timers::new(SECOND))
        }

        fn by(&self, seconds: u32) -> Vec<char> {
            self.0.pass(self.0.next.get() + SECOND * seconds)
        }
    }

    #[tokio::test]
    async fn without_a_pause_both_ways_to_count_are_the_same() {
        let late = Late::new();
        late.0.by_the_clock(2, 'c');
        late.0.awake(2, 'a');
        assert_eq!(late.by(0), []);
        let mut due = late.by(0);
        due.sort_unstable();
        assert_eq!(due, ['a', 'c']);
        let time = Time {
            now: 2,
            awake: 2,
            resumed: false,
        };
        assert_eq!(late.0.time(), time);
    }

    #[tokio::test]
    async fn after_a_pause_what_is_due_by_the_clock_fires_at_once_and_patience_is_as_before() {
        let late = Late::new();
        late.0.by_the_clock(20, 'c');
        let patience = late.0.awake(3, 'a');
        late.0.awake(2, 'b');
        assert_eq!(late.by(27), ['c']);
        let time = Time {
            now: 28,
            awake: 1,
            resumed: true,
        };
        assert_eq!(late.0.time(), time);
        assert_eq!(late.by(0), ['b']);
        assert!(!late.0.time().resumed);
        assert_eq!(late.0.cancel(patience), Some('a'));
        assert!(late.0.is_empty());
    }

    #[tokio::test]
    async fn a_whole_tick_follows_a_pause_before_anything_else_is_due() {
        let late = Late::new();
        let half = SECOND / 2;
        late.0.pass(late.0.next.get() + SECOND * 9 + half);
        let resumed = late.0.next.get() - SECOND;
        assert_eq!(late.0.time().now, 10);
        assert_eq!(late.0.pass(resumed + SECOND), []);
        assert!(!late.0.time().resumed);
    }

    #[tokio::test]
    async fn a_duration_is_never_cut_short_by_the_tick_that_has_begun() {
        let timers = Timers::<char>::new(Duration::from_millis(250));
        for (ms, ticks) in [(0, 1), (1, 2), (250, 2), (251, 3), (30_000, 121)] {
            assert_eq!(timers.ticks(Duration::from_millis(ms)), ticks, "{ms} ms");
        }
        assert_eq!(timers.ticks(Duration::MAX), Tick::MAX / 2);
    }
}
