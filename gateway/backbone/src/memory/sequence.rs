//! The one order of all messages that are kept.

use std::sync::Mutex;

use sluice_rooms::Epoch;
use sluice_util::lock;

/// Hands out offsets, and stands still while somebody looks.
#[derive(Debug)]
pub(super) struct Sequence {
    epoch: Epoch,
    last: Mutex<u64>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            epoch: Epoch::random(),
            last: Mutex::new(0),
        }
    }
}

impl Sequence {
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Gives `use_it` the next offset, and lets nobody else have one until it is done.
    pub(super) fn next<T>(&self, use_it: impl FnOnce(Epoch, u64) -> T) -> T {
        let mut last = lock(&self.last);
        *last += 1;
        use_it(self.epoch, *last)
    }

    /// Gives `look` the last offset while no other is handed out.
    pub(super) fn hold<T>(&self, look: impl FnOnce(u64) -> T) -> T {
        look(*lock(&self.last))
    }
}
