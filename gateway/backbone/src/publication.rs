//! What is published, and what comes back.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use sluice_rooms::{Message, Position, Publisher, RoomKey, RoomSettings, SessionId};

/// How long an id is that the publisher did not give.
const GIVEN_ID: usize = 16;

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
    /// Who publishes it, and whose its id is.
    pub publisher: Publisher,
    /// The message's id if the publisher gave one: one publisher's same one twice is stored once.
    pub id: Option<Box<str>>,
    /// The session that must not get it.
    pub except: Option<SessionId>,
}

impl Publication {
    /// Roughly the memory of the message that it becomes, in bytes.
    pub fn size(&self) -> usize {
        let attachments: usize = self.attachments.iter().map(Bytes::len).sum();
        let id = self.id.as_ref().map_or(GIVEN_ID, |id| id.len());
        size_of::<Message>() + self.event.len() + self.data.len() + id + attachments
    }

    /// The message that it becomes when it is accepted, at `time` milliseconds since 1970. `id` is
    /// asked for 64 bits where the publisher gave no id. They are to be random: nobody who cannot
    /// guess them can have used them before.
    pub fn accepted(self, id: impl FnOnce() -> u64, time: u64, accepted: Instant) -> Message {
        let id = self.id.unwrap_or_else(|| format!("{:016x}", id()).into());
        Message {
            room: Some(self.room),
            event: self.event,
            data: self.data,
            attachments: self.attachments,
            from: self.from,
            id,
            position: None,
            read: None,
            time,
            except: self.except,
            accepted,
        }
    }
}

/// What a publisher learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The message's id.
    pub id: Box<str>,
    /// Its place in the history, where the room has one.
    pub position: Option<Position>,
    /// Whether the same publisher has published it before under the same id.
    pub duplicate: bool,
}
