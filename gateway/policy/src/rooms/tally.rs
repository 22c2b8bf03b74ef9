//! What goes on in the rooms that one Room is for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What goes on at one gateway in all rooms that a Room is for, counted as it happens, so that
/// nobody has to look at every room.
#[derive(Debug, Default)]
pub struct Tally {
    members: AtomicU64,
    published: AtomicU64,
}

impl Tally {
    /// So many sessions have become members of such rooms here.
    pub fn joined(&self, members: usize) {
        self.members.fetch_add(members as u64, Relaxed);
    }

    /// So many sessions are members of such rooms no more.
    pub fn left(&self, members: usize) {
        self.members.fetch_sub(members as u64, Relaxed);
    }

    /// A message was published to such a room from here.
    pub fn published(&self) {
        self.published.fetch_add(1, Relaxed);
    }

    /// The members of all such rooms: a session counts once for each room that it is in.
    pub fn members(&self) -> u64 {
        self.members.load(Relaxed)
    }

    /// The messages published to such rooms, since the Room was changed last.
    pub fn messages(&self) -> u64 {
        self.published.load(Relaxed)
    }
}
