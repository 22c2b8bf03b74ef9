//! How long to wait before something is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Twice as long each time, from 50 ms to 2 s, and by chance down to half of it: many clients that
/// lost one server do not come back as one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait; `random` is between 0 and 1.
    pub(crate) fn delay(&self, random: f64) -> Duration {
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(self.failures));
        longest
            .min(LONGEST)
            .mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }

    /// Another try failed.
    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Trying again soon would help nobody.
    pub(crate) fn slow(&mut self) {
        self.failures = u32::MAX;
    }

    /// All is well again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_two_seconds_and_are_halved_by_chance() {
        let mut backoff = Backoff::default();
        let mut delays = vec![];
        for _ in 0..8 {
            delays.push(backoff.delay(1.0).as_millis());
            backoff.failed();
        }
        assert_eq!(delays, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(backoff.delay(0.0), Duration::from_secs(1));
        backoff.reset();
        assert_eq!(backoff.delay(0.5).as_micros(), 37_500);
        backoff.slow();
        assert_eq!(backoff.delay(1.0), LONGEST);
    }
}
