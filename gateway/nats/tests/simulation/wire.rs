//! What goes between clients and gateways.

use std::sync::Arc;

use sluice_rooms::{Message, Pid, Reading};

/// From a gateway to a client.
#[derive(Debug, Clone)]
pub enum Frame {
    /// The client is in, as this session.
    Connected { pid: Pid, recovered: bool },
    /// A message of a room.
    Message {
        room: usize,
        offset: u64,
        read: Option<Reading>,
        /// When that was said, where it was not when the message was delivered.
        said_at: Option<u64>,
    },
    /// The client is a member, and messages after this offset come; whether that is kept.
    Joined {
        room: usize,
        offset: Option<u64>,
        kept: bool,
    },
    /// The client is no member any more.
    Left { room: usize },
    /// The gateway closes the connection.
    Closed,
}

impl Frame {
    pub fn message(room: usize, message: &Arc<Message>, said_at: Option<u64>) -> Self {
        Self::Message {
            room,
            offset: message.offset(),
            read: message.reading(),
            said_at,
        }
    }
}

/// From a client to a gateway.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Let me in, as the session that I had.
    Connect {
        user: Arc<str>,
        fresh: Pid,
        pid: Option<Pid>,
        read: Option<Reading>,
    },
    Join(usize),
    Leave(usize),
}
