//! A message of a room.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;

use crate::{Position, Reading, RoomKey, SessionId};

/// What a publisher said, with what the gateway knows of it. Shared by all who get it.
#[derive(Debug, Clone)]
pub struct Message {
    /// The room, or nothing for direct messages and broadcasts.
    pub room: Option<RoomKey>,
    /// The event's name.
    pub event: Box<str>,
    /// The event's data, as JSON text.
    pub data: Box<str>,
    /// Binary attachments, which placeholders in `data` refer to.
    pub attachments: Vec<Bytes>,
    /// The publishing user; none for a backend.
    pub from: Option<Arc<str>>,
    /// The message's id: the publisher's, or one made for it.
    pub id: Box<str>,
    /// Its place in the room's history, where that is kept.
    pub position: Option<Position>,
    /// How far its readers are with it, where that is not just its own position: it came late, or
    /// some rooms are behind.
    pub read: Option<Arc<Reading>>,
    /// Milliseconds since the Unix epoch at which it was accepted.
    pub time: u64,
    /// The session that must not get it: a publisher who wants no echo.
    pub except: Option<SessionId>,
    /// When this process got hold of it, to tell how long delivery took.
    pub accepted: Instant,
}

impl Message {
    /// The offset in the room's history, or 0 where there is none.
    pub fn offset(&self) -> u64 {
        self.position.map_or(0, |position| position.offset)
    }

    /// What a reader keeps to go on from.
    pub fn reading(&self) -> Option<Reading> {
        let position = self.position?;
        let read = self.read.as_deref().cloned();
        Some(read.unwrap_or_else(|| Reading::of(position)))
    }

    /// Roughly the memory that it holds, in bytes.
    pub fn size(&self) -> usize {
        let attachments: usize = self.attachments.iter().map(Bytes::len).sum();
        size_of::<Self>() + self.event.len() + self.data.len() + self.id.len() + attachments
    }
}
