//! When the stock Socket.IO client tries again, at its default settings.

use std::time::Duration;

/// The first wait, and the longest, in milliseconds.
const FIRST: f64 = 1000.0;
const LONGEST: f64 = 5000.0;
/// How much of a wait chance adds or takes.
const JITTER: f64 = 0.5;

/// The wait before the try of this number (from 0): a second, then twice as long each time, each
/// give or take a half, but never over five. `random` is between 0 and 1.
pub(super) fn delay(attempt: u32, random: f64) -> Duration {
    let middle = FIRST * 2_f64.powi(attempt.min(16).cast_signed());
    let wait = middle + (2.0 * random - 1.0) * JITTER * middle;
    Duration::from_secs_f64(wait.min(LONGEST) / 1000.0)
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
