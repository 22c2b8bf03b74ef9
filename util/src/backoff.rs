//! How long to wait before something is tried again.

use std::time::Duration;

/// A rule for waits: longer with each failure up to a bound, and by chance more or less than that,
/// so that those who failed together do not come back together.
///
/// ```
/// use std::time::Duration;
/// use sluice_util::Backoff;
///
/// let backoff = Backoff::doubling(Duration::from_secs(1), Duration::from_secs(30)).spread(0.5, 1.0);
/// assert_eq!(backoff.delay(0, 1.0), Duration::from_secs(1));
/// assert_eq!(backoff.delay(3, 1.0), Duration::from_secs(8));
/// assert_eq!(backoff.delay(3, 0.0), Duration::from_secs(4));
/// assert_eq!(backoff.delay(100, 1.0), Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    growth: Growth,
    spread: (f64, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    Doubling,
    Linear,
}

impl Backoff {
    /// Waits of `first`, twice as much, four times as much and so on, up to `longest`.
    pub const fn doubling(first: Duration, longest: Duration) -> Self {
        Self::new(first, longest, Growth::Doubling)
    }

    /// Waits of `first`, twice as much, three times as much and so on, up to `longest`.
    pub const fn linear(first: Duration, longest: Duration) -> Self {
        Self::new(first, longest, Growth::Linear)
    }

    const fn new(first: Duration, longest: Duration, growth: Growth) -> Self {
        Self {
            first,
            longest,
            growth,
            spread: (1.0, 1.0),
        }
    }

    /// The same waits, each times a factor between `least` and `most` that chance chooses. Neither
    /// is negative. With a `most` over 1 a wait can be longer than the longest.
    #[must_use]
    pub const fn spread(self, least: f64, most: f64) -> Self {
        Self {
            spread: (least, most),
            ..self
        }
    }

    /// The wait after so many failures, not counting the first; `random` is between 0 and 1.
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let factor = match self.growth {
            Growth::Doubling => 2_u32.saturating_pow(failures),
            Growth::Linear => failures.saturating_add(1),
        };
        let (least, most) = self.spread;
        self.first
            .saturating_mul(factor)
            .min(self.longest)
            .mul_f64(least + random.clamp(0.0, 1.0) * (most - least))
    }
}

/// A [`Backoff`], and how often something has failed by it.
///
/// ```
/// use std::time::Duration;
/// use sluice_util::{Backoff, Retries};
///
/// let backoff = Backoff::doubling(Duration::from_millis(50), Duration::from_secs(2));
/// let mut retries = Retries::new(backoff);
/// assert_eq!(retries.delay(0.0).as_millis(), 50);
/// retries.failed();
/// assert_eq!(retries.delay(0.0).as_millis(), 100);
/// retries.reset();
/// assert_eq!(retries.delay(0.0).as_millis(), 50);
/// ```
#[derive(Debug, Clone)]
pub struct Retries {
    backoff: Backoff,
    failures: u32,
}

impl Retries {
    /// Nothing has failed yet.
    pub const fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            failures: 0,
        }
    }

    /// How long to wait before the next try; `random` is between 0 and 1.
    pub fn delay(&self, random: f64) -> Duration {
        self.backoff.delay(self.failures, random)
    }

    /// A try failed: the next wait is longer.
    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A try failed in such a way that trying again soon would help nobody: the next wait is the
    /// longest.
    pub fn failed_for_long(&mut self) {
        self.failures = u32::MAX;
    }

    /// A try went well: the next wait is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    #[test]
    fn waits_double_up_to_the_longest_and_are_halved_by_chance() {
        let mut retries = Retries::new(Backoff::doubling(FIRST, LONGEST).spread(0.5, 1.0));
        let mut delays = vec![];
        for _ in 0..8 {
            delays.push(retries.delay(1.0).as_millis());
            retries.failed();
        }
        assert_eq!(delays, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(retries.delay(0.0), Duration::from_secs(1));
        retries.reset();
        assert_eq!(retries.delay(0.5).as_micros(), 37_500);
        retries.failed_for_long();
        assert_eq!(retries.delay(1.0), LONGEST);
        retries.failed();
        assert_eq!(retries.delay(1.0), LONGEST);
    }

    #[test]
    fn linear_waits_grow_by_the_first_up_to_the_longest() {
        let backoff = Backoff::linear(FIRST, LONGEST);
        let millis = |failures| backoff.delay(failures, 0.3).as_millis();
        assert_eq!(
            [0, 1, 2, 39, 40, u32::MAX].map(millis),
            [50, 100, 150, 2000, 2000, 2000]
        );
    }

    #[test]
    fn chance_may_lengthen_a_wait_too() {
        let backoff = Backoff::doubling(FIRST, LONGEST).spread(0.75, 1.25);
        let range =
            |failures| [0.0, 0.5, 1.0].map(|random| backoff.delay(failures, random).as_micros());
        assert_eq!(range(0), [37_500, 50_000, 62_500]);
        assert_eq!(range(99), [1_500_000, 2_000_000, 2_500_000]);
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_spread_and_never_shorter_for_more_failures(
            failures in any::<u32>(),
            random in 0.0f64..1.0,
            doubling in any::<bool>(),
        ) {
            let backoff = if doubling {
                Backoff::doubling(FIRST, LONGEST)
            } else {
                Backoff::linear(FIRST, LONGEST)
            };
            let backoff = backoff.spread(0.5, 1.0);
            let (wait, most) = (backoff.delay(failures, random), backoff.delay(failures, 1.0));
            prop_assert!(wait <= most && wait * 2 >= most && most <= LONGEST);
            prop_assert!(backoff.delay(failures.saturating_add(1), random) >= wait);
        }
    }
}
