//! Sessions on their way: kept for a gateway that dies, and taken over by another worker.

use std::sync::Arc;

use sluice_rooms::{Pid, Reading, RoomKey, SessionId};

/// What is kept of a session, so that it can go on when its gateway has died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its public name; whoever claims it must know the private one.
    pub session: SessionId,
    /// Its user.
    pub user: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its rooms, and where its messages there began.
    pub rooms: Vec<(RoomKey, u64)>,
    /// Those of its rooms in which it went on after a message, and up to where it was caught up
    /// with: a position that reaches no further and does not name such a room says nothing of it.
    pub caught_up: Vec<(RoomKey, u64)>,
    /// How far its client said that it had read when it came. A client that says so still has got
    /// nothing since.
    pub came: Option<Reading>,
}

/// A client's word that a session is its own. All of it must be true.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The session's private name.
    pub pid: Pid,
    /// Its user.
    pub user: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// How far the client has read.
    pub read: Option<Reading>,
}

/// A session on its way from one worker to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its rooms, and how far its client has read there.
    pub rooms: Vec<(RoomKey, u64)>,
    /// Whether it still counts as a member of them, which goes over to whoever has the record.
    pub present: bool,
}

/// Who reads what it missed.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The session, which does not get what it published without echo.
    pub session: SessionId,
    /// How far its client had read when it came.
    pub read: Option<Reading>,
    /// Whether it has a connection, and so has also got what was delivered to its worker since.
    pub connected: bool,
}
