//! What a room is told to do, out of its Room document or the default for rooms without one.

use std::time::Duration;

/// The bounds of a history; both hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// The most messages.
    pub max_messages: usize,
    /// The greatest age.
    pub max_age: Duration,
}

/// Who learns of a room's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceMode {
    /// Nobody is told who is in the room.
    Off,
    /// Whoever asks is told who is in the room.
    Asked,
    /// Who asks, and every member as others come and go.
    Announced,
}

/// What becomes of a message for a member that does not read fast enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowConsumer {
    /// The member's connection is closed; it comes back and recovers.
    Close,
    /// The message is dropped for that member.
    Drop,
}

/// A room's settings, as far as the backbone needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomSettings {
    /// Whether messages are kept, and which.
    pub history: Option<HistoryLimits>,
    /// Whether members are shown.
    pub presence: PresenceMode,
    /// The most messages a second, all publishers together.
    pub messages_per_second: Option<u32>,
    /// The most members.
    pub members: Option<u32>,
    /// What becomes of slow members.
    pub slow_consumer: SlowConsumer,
}

impl Default for RoomSettings {
    /// No history, no announcements, no bounds: a room that no Room document speaks of.
    fn default() -> Self {
        Self {
            history: None,
            presence: PresenceMode::Asked,
            messages_per_second: None,
            members: None,
            slow_consumer: SlowConsumer::Close,
        }
    }
}
