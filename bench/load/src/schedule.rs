//! When publications are due. A fixed schedule: a late send moves nothing that comes after it.

use std::time::Duration;

const NANOSECONDS: u128 = 1_000_000_000;

/// Evenly spaced times from a start, `rate` a second, without drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    start: u64,
    rate: u32,
}

impl Schedule {
    /// Begins at `start` (nanoseconds), with `rate` times a second; at least one.
    pub(crate) fn new(start: u64, rate: u32) -> Self {
        Self {
            start,
            rate: rate.max(1),
        }
    }

    /// The same rate, beginning at `start`.
    pub(crate) fn restart(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// When number `index` is due, in nanoseconds.
    pub(crate) fn time(&self, index: u64) -> u64 {
        let after = u128::from(index) * NANOSECONDS / u128::from(self.rate);
        self.start
            .saturating_add(u64::try_from(after).unwrap_or(u64::MAX))
    }

    /// How many are due before `now`: the indices `0..due(now)`.
    pub(crate) fn due(&self, now: u64) -> u64 {
        let since = u128::from(now.saturating_sub(self.start));
        let count = (since * u128::from(self.rate)).div_ceil(NANOSECONDS);
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// How long it is at `now` until number `index` is due.
    pub(crate) fn rest(&self, index: u64, now: u64) -> Duration {
        Duration::from_nanos(self.time(index).saturating_sub(now))
    }

    /// How long a poll may wait at `now` before number `index` is due. Whole milliseconds less
    /// one, since epoll counts in those and wakes late; the last stretch is spun.
    pub(crate) fn wait(&self, index: u64, now: u64) -> Duration {
        let milliseconds = self.time(index).saturating_sub(now) / 1_000_000;
        Duration::from_millis(milliseconds.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_due_right_after_its_time_and_not_before(
            start in 0_u64..1 << 50, rate in 1_u32..1_000_000, index in 0_u64..1 << 30,
        ) {
            let schedule = Schedule::new(start, rate);
            let time = schedule.time(index);
            prop_assert!(schedule.due(time + 1) > index);
            prop_assert!(schedule.due(time) <= index);
        }

        #[test]
        fn a_second_holds_exactly_the_rate(start in 0_u64..1 << 50, rate in 1_u32..1_000_000) {
            let schedule = Schedule::new(start, rate);
            prop_assert_eq!(schedule.due(start + 1_000_000_000), u64::from(rate));
            prop_assert_eq!(schedule.time(u64::from(rate)), start + 1_000_000_000);
        }

        #[test]
        fn a_wait_ends_before_the_time(now in 0_u64..1 << 40, index in 0_u64..1 << 20) {
            let schedule = Schedule::new(0, 997);
            let wait = schedule.wait(index, now).as_nanos() as u64;
            prop_assert!(wait == 0 || now + wait < schedule.time(index));
        }
    }
}
