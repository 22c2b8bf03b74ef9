//! What a core says of itself.

/// What happened to messages of rooms with history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryCounters {
    /// Messages that this gateway has stored.
    pub published: u64,
    /// Sent to the stream again, because no answer came.
    pub retried: u64,
    /// Messages that were given to workers.
    pub delivered: u64,
    /// Of them, read from the stream because they had not come.
    pub repaired: u64,
    /// Of them, delivered after messages with greater offsets of other rooms.
    pub late: u64,
    /// Messages that were not delivered because they had been before.
    pub repeated: u64,
    /// Not to be had any more when they were found to be missing.
    pub lost: u64,
    /// Messages that could not be read, and are nobody's.
    pub malformed: u64,
    /// Messages that could not be read, and are of a newer version.
    pub newer: u64,
}

impl HistoryCounters {
    pub(super) fn count_unread(&mut self, why: Unread) {
        match why {
            Unread::Newer => self.newer += 1,
            Unread::Garbage => self.malformed += 1,
        }
    }
}

/// What became of a stream while gateways ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamLosses {
    /// It was not there.
    pub gone: u64,
    /// Another one was in its place.
    pub anew: u64,
    /// Its store was put back to what it was before.
    pub back: u64,
}

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// A newer version wrote it.
    Newer,
    /// Nobody of ours wrote it.
    Garbage,
}

/// How much waits, and for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Questions whose answer has not come.
    pub questions: usize,
    /// Sessions on their way into the store.
    pub storing: usize,
    /// Sessions that are being taken over.
    pub claims: usize,
    /// Messages on their way into the stream.
    pub publications: usize,
    /// Rooms that are not followed yet.
    pub joining: usize,
    /// Rooms that miss something.
    pub repairing: usize,
    /// Sessions that wait for what they missed.
    pub missing: usize,
    /// Whether all rooms are held back.
    pub apart: bool,
}
