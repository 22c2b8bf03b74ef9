//! When the stock Socket.IO client tries again, at its default settings.

use std::time::Duration;

use sluice_util::Backoff;

/// The longest wait, whatever chance adds.
const LONGEST: Duration = Duration::from_secs(5);
/// A second, then twice as long each time, each give or take a half. The bound comes after chance.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(1), Duration::MAX).spread(0.5, 1.5);

/// The wait before the try of this number (from 0): a second, then twice as long each time, each
/// give or take a half, but never over five. `random` is between 0 and 1.
pub(super) fn delay(attempt: u32, random: f64) -> Duration {
    BACKOFF.delay(attempt, random).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_half_a_second_to_five() {
        let range = |attempt| [0.0, 1.0].map(|random| delay(attempt, random).as_millis());
        assert_eq!(range(0), [500, 1500]);
        assert_eq!(range(1), [1000, 3000]);
        assert_eq!(range(2), [2000, 5000]);
        assert_eq!(range(9), [5000, 5000]);
    }
}
