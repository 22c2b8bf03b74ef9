//! The generator's time: nanoseconds since its start.

use std::thread;
use std::time::{Duration, Instant};

/// One start for all times of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Nanoseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// Does nothing for `time`. Only for what serves no connections meanwhile.
pub(crate) fn pause(time: Duration) {
    // No runtime is at work here that this could block.
    #[allow(clippy::disallowed_methods)]
    thread::sleep(time);
}
