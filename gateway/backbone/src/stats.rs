//! What a backbone holds, for metrics.

/// Counts of rooms, members and messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms with members or messages.
    pub rooms: u64,
    /// Members of all rooms.
    pub members: u64,
    /// How many rooms have a size within each bucket; the last one is for all beyond.
    pub sizes: Vec<u64>,
    /// Messages in histories that this process holds.
    pub messages: u64,
    /// The memory that they hold, in bytes, roughly.
    pub bytes: u64,
}
