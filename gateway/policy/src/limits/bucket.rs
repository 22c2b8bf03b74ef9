//! A token bucket in eight bytes.

/// How fast something may happen, and how much of it at once.
///
/// The burst is one second's worth: `per_second` events may come at the same moment, and then
/// one each `1/per_second` seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
}

impl Rate {
    /// A rate of `per_second` events a second; zero lets nothing through.
    pub const fn per_second(per_second: u32) -> Self {
        Self { per_second }
    }

    /// Events a second.
    pub const fn events(self) -> u32 {
        self.per_second
    }

    /// Nanoseconds one event costs, rounded up so that the rate is never exceeded.
    fn cost(self) -> Option<u64> {
        const SECOND: u64 = 1_000_000_000;
        (self.per_second > 0).then(|| SECOND.div_ceil(u64::from(self.per_second)))
    }
}

/// A token bucket for one connection, room or address.
///
/// In any `t` seconds it lets at most `rate × t + burst` events through, where the burst is the
/// rate of one second. The clock is the caller's coarse monotonic one, in milliseconds; a clock
/// that stands still or steps back only makes the bucket stricter. The rate is given with each
/// call, so that a changed policy counts at once and no bucket has to be visited.
///
/// This is the generic cell rate algorithm (ITU-T I.371, annex A): the only state is the time at
/// which the bucket will be full again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenBucket {
    full_at: u64,
}

impl TokenBucket {
    /// A full bucket.
    pub const fn new() -> Self {
        Self { full_at: 0 }
    }

    /// Takes one event out, or leaves the bucket as it is and says no.
    pub fn take(&mut self, now_ms: u64, rate: Rate) -> bool {
        self.take_many(now_ms, rate, 1)
    }

    /// Takes `count` events out at once, or none of them.
    pub fn take_many(&mut self, now_ms: u64, rate: Rate, count: u32) -> bool {
        let Some(cost) = rate.cost() else {
            return count == 0;
        };
        let now = now_ms.saturating_mul(1_000_000);
        let capacity = cost.saturating_mul(u64::from(rate.per_second));
        let after = self
            .full_at
            .max(now)
            .saturating_add(cost.saturating_mul(u64::from(count)));
        let allowed = after - now <= capacity;
        if allowed {
            self.full_at = after;
        }
        allowed
    }

    /// Milliseconds until one more event will be let through; zero when it would be now.
    pub fn wait_ms(&self, now_ms: u64, rate: Rate) -> Option<u64> {
        let cost = rate.cost()?;
        let room_at = self
            .full_at
            .saturating_add(cost)
            .saturating_sub(cost.saturating_mul(u64::from(rate.per_second)));
        Some(room_at.div_ceil(1_000_000).saturating_sub(now_ms))
    }

    /// Whether the bucket is full, so that a table of buckets can forget it.
    pub const fn is_full(&self, now_ms: u64) -> bool {
        self.full_at <= now_ms.saturating_mul(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_of_one_second_passes_and_the_next_is_refused() {
        let mut bucket = TokenBucket::new();
        let rate = Rate::per_second(5);
        assert!((0..5).all(|_| bucket.take(1_000, rate)));
        assert!(!bucket.take(1_000, rate));
        assert_eq!(bucket.wait_ms(1_000, rate), Some(200));
        assert!(!bucket.take(1_199, rate));
        assert!(bucket.take(1_200, rate));
    }

    #[test]
    fn a_rate_of_one_lets_one_through_a_second() {
        let mut bucket = TokenBucket::new();
        let rate = Rate::per_second(1);
        assert!(bucket.take(7, rate));
        assert!(!bucket.take(1_006, rate));
        assert!(bucket.take(1_007, rate));
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        let mut bucket = TokenBucket::new();
        assert!(!bucket.take(u64::MAX, Rate::per_second(0)));
        assert_eq!(bucket.wait_ms(0, Rate::per_second(0)), None);
    }

    #[test]
    fn many_are_taken_whole_or_not_at_all() {
        let mut bucket = TokenBucket::new();
        let rate = Rate::per_second(10);
        assert!(!bucket.take_many(0, rate, 11));
        assert!(bucket.take_many(0, rate, 10));
        assert!(!bucket.is_full(999));
        assert!(bucket.is_full(1_000));
    }

    #[test]
    fn a_lowered_rate_counts_at_once() {
        let mut bucket = TokenBucket::new();
        assert!(bucket.take_many(0, Rate::per_second(100), 100));
        assert!(!bucket.take(900, Rate::per_second(1)));
        assert!(bucket.take(2_000, Rate::per_second(1)));
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let mut bucket = TokenBucket::new();
        assert!(bucket.take(u64::MAX, Rate::per_second(u32::MAX)));
        let _ = bucket.wait_ms(u64::MAX, Rate::per_second(u32::MAX));
    }

    proptest! {
        #[test]
        fn no_window_lets_through_more_than_its_rate_and_one_burst(
            per_second in 1u32..2_000,
            steps in prop::collection::vec((0u64..400, 1u32..5), 1..300),
        ) {
            let rate = Rate::per_second(per_second);
            let (mut bucket, mut now) = (TokenBucket::new(), 0u64);
            let mut passed: Vec<(u64, u64)> = Vec::new();
            for (step, count) in steps {
                now += step;
                if bucket.take_many(now, rate, count) {
                    passed.push((now, u64::from(count)));
                }
            }
            for (start, &(from, _)) in passed.iter().enumerate() {
                let mut events = 0;
                for &(at, count) in &passed[start..] {
                    events += count;
                    let most = (at - from) * u64::from(per_second) + 1_000 * u64::from(per_second);
                    prop_assert!(events * 1_000 <= most);
                }
            }
        }

        #[test]
        fn whoever_waits_as_long_as_told_is_let_through(
            per_second in 1u32..5_000, taken in 0u32..5_000, now in 0u64..1_000_000,
        ) {
            let rate = Rate::per_second(per_second);
            let mut bucket = TokenBucket::new();
            for _ in 0..taken {
                bucket.take(now, rate);
            }
            let wait = bucket.wait_ms(now, rate).unwrap();
            prop_assert!(bucket.take(now + wait, rate));
        }

        #[test]
        fn a_clock_that_steps_back_never_lets_more_through(
            times in prop::collection::vec(0u64..2_000, 1..200),
        ) {
            let rate = Rate::per_second(20);
            let (mut jumping, mut steady) = (TokenBucket::new(), TokenBucket::new());
            let mut latest = 0;
            let (mut jumped, mut stood) = (0, 0);
            for time in times {
                latest = latest.max(time);
                jumped += u32::from(jumping.take(time, rate));
                stood += u32::from(steady.take(latest, rate));
            }
            prop_assert!(jumped <= stood);
        }
    }
}
