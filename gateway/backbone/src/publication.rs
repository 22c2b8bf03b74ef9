//! What is published, and what comes back.

use std::sync::Arc;

use bytes::Bytes;
use sluice_rooms::{Position, RoomKey, RoomSettings, SessionId};

/// A message that its publisher may send and that is well-formed.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The room.
    pub room: RoomKey,
    /// The room's settings.
    pub settings: RoomSettings,
    /// The event's name.
    pub event: Box<str>,
    /// Its data, as JSON text.
    pub data: Box<str>,
    /// Its binary attachments.
    pub attachments: Vec<Bytes>,
    /// The publishing user; none for a backend.
    pub from: Option<Arc<str>>,
    /// The message's id if the publisher gave one: the same one twice is stored once.
    pub id: Option<Box<str>>,
    /// The session that must not get it.
    pub except: Option<SessionId>,
}

/// What a publisher learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The message's id.
    pub id: Box<str>,
    /// Its place in the history, where the room has one.
    pub position: Option<Position>,
    /// Whether it was published before under the same id.
    pub duplicate: bool,
}
