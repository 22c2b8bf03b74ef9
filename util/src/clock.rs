//! The time of day, as it goes over the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since the Unix epoch; nothing where the machine's clock is set to before it. It may
/// jump: durations are measured with `Instant`.
///
/// ```
/// let seconds = sluice_util::unix_time().as_secs();
/// assert!(seconds > 1_700_000_000, "the clock is set to before 2023");
/// ```
pub fn unix_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
}

/// Whole milliseconds since the Unix epoch: the time of a message.
pub fn unix_millis() -> u64 {
    u64::try_from(unix_time().as_millis()).unwrap_or(u64::MAX)
}

/// Whole seconds since the Unix epoch: the times in a token (RFC 7519, section 2, `NumericDate`).
pub fn unix_seconds() -> u64 {
    unix_time().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_tell_the_same_time() {
        let before = unix_time();
        let (seconds, millis) = (unix_seconds(), unix_millis());
        let after = unix_time();
        assert!((before.as_secs()..=after.as_secs()).contains(&seconds));
        assert!((before.as_millis()..=after.as_millis()).contains(&u128::from(millis)));
    }
}
