//! How many bytes of messages all histories hold together.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::room::Room;

/// The bytes of all histories, and their bound. Two rooms that publish at the same moment may go
/// beyond it by a message each.
#[derive(Debug)]
pub(super) struct KeptBytes {
    kept: AtomicUsize,
    most: usize,
}

impl KeptBytes {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            kept: AtomicUsize::new(0),
            most,
        }
    }

    /// Whether a message of so many bytes fits, if its room lets all go that it keeps.
    pub(super) fn has_room(&self, bytes: usize, of_room: usize) -> bool {
        let others = self.kept.load(Ordering::Relaxed).saturating_sub(of_room);
        others.saturating_add(bytes) <= self.most
    }

    /// Counts what a room keeps more than before, and has it let go of its oldest messages, but
    /// for the new one, where that is too much.
    pub(super) fn make_room(&self, room: &mut Room, before: usize) {
        let others = self.kept.load(Ordering::Relaxed).saturating_sub(before);
        while others.saturating_add(room.bytes()) > self.most && room.drop_oldest() {}
        self.kept.fetch_add(room.bytes(), Ordering::Relaxed);
        self.freed(before);
    }

    /// So many bytes are kept no longer.
    pub(super) fn freed(&self, bytes: usize) {
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }
}
