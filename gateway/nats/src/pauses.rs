//! What to do first when the process was paused.

use std::time::Duration;

/// A tick that is later than this follows a pause of the process.
const PAUSED: Duration = Duration::from_secs(1);

/// Puts off the tick that follows a pause, so that what came meanwhile is read before it counts who
/// was silent and which answers did not come. Only one: a machine that is always late must have
/// its ticks.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    put_off: bool,
}

impl Pauses {
    /// Whether to wait for the next tick rather than take this one, which is so late.
    pub(crate) fn put_off(&mut self, late: Duration) -> bool {
        self.put_off = late > PAUSED && !self.put_off;
        self.put_off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tick_after_a_pause_is_put_off_but_never_two_in_a_row() {
        let mut pauses = Pauses::default();
        let late = [0, 900, 27_000, 100, 5_000, 5_000, 5_000, 0].map(Duration::from_millis);
        let put_off: Vec<_> = late.into_iter().map(|late| pauses.put_off(late)).collect();
        let wanted = [false, false, true, false, true, false, true, false];
        assert_eq!(put_off, wanted);
    }
}
