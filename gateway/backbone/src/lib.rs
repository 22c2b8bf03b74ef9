//! What connects the workers of a gateway, and gateways with each other.
//!
//! A [`Backbone`] takes publications, keeps the histories of rooms, and hands every worker the
//! messages of the rooms it has members in, in one order that is the same for all. [`Memory`] is
//! complete within one process.

mod command;
mod delivery;
mod error;
mod gather;
mod memory;
mod publication;
mod reply;

pub use command::{Command, SessionInfo, Target};
pub use delivery::{Delivery, Sink};
pub use error::Error;
pub use gather::Gather;
pub use memory::{Memory, Stats};
pub use publication::{Publication, Receipt};
pub use reply::Reply;
use sluice_rooms::{Epoch, Page, Pid, Query, RoomKey, RoomSettings, SessionId};

use std::sync::Arc;

/// Where a member's messages begin.
#[derive(Debug, Clone, Copy)]
pub struct Joined {
    /// The history's identity.
    pub epoch: Epoch,
    /// No message so far has a greater offset, in any room: what comes is greater.
    pub offset: u64,
}

/// What a session missed in all its rooms.
#[derive(Debug, Clone, Default)]
pub struct Missed {
    /// The messages of all rooms, in the order of their offsets.
    pub messages: Vec<Arc<sluice_rooms::Message>>,
    /// Every message up to this offset is among them: what comes is greater.
    pub through: u64,
}

/// A room that a session is in, and how far it has read there.
#[derive(Debug, Clone)]
pub struct Bookmark {
    /// The room.
    pub room: RoomKey,
    /// Its settings.
    pub settings: RoomSettings,
    /// The offset of the last message that the session got, or after which it joined.
    pub after: u64,
}

/// Who is in a room, as far as was asked.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// Some of the users, in no order.
    pub users: Vec<Arc<str>>,
    /// How many users there are.
    pub count: usize,
}

/// Joins the workers of a fleet.
///
/// Calls come from workers and never block; what cannot be said at once comes as
/// [`Reply::Later`]. Deliveries go to the [`Sink`] that the backbone was made with.
pub trait Backbone: Send + Sync + 'static {
    /// `worker` has a member in `room` from now on and must get its messages. Says where they
    /// begin. Any number of calls need one [`Self::unsubscribe`].
    fn subscribe(&self, worker: usize, room: &RoomKey, settings: &RoomSettings) -> Reply<Joined>;

    /// `worker` has no member in `room` any more.
    fn unsubscribe(&self, worker: usize, room: &RoomKey);

    /// A session of `user` is a member of `room`, which counts against the room's bound.
    fn join(&self, room: &RoomKey, user: &Arc<str>, settings: &RoomSettings) -> Reply<()>;

    /// A session of `user` is no longer a member of `room`.
    fn leave(&self, room: &RoomKey, user: &Arc<str>);

    /// Publishes to a room. When the receipt is there, the message will reach every member, in
    /// the room's order, and is in the room's history if it has one.
    fn publish(&self, publication: Publication) -> Reply<Receipt>;

    /// What the session `of` missed; [`Error::Gone`] where some of it is no longer there.
    /// `worker` must be subscribed to all rooms of `bookmarks`.
    fn missed(&self, bookmarks: &[Bookmark], of: SessionId) -> Reply<Missed>;

    /// Messages of a room's history.
    fn history(&self, room: &RoomKey, query: Query) -> Reply<(Epoch, Page)>;

    /// Up to `limit` users of a room, and how many there are.
    fn members(&self, room: &RoomKey, limit: usize) -> Reply<Members>;

    /// Has every session that a command speaks of carry it out; the reply is how many did.
    fn command(&self, command: Command) -> Reply<u64>;

    /// The sessions of the fleet, up to `limit`, those of `user` only if one is given.
    fn sessions(&self, user: Option<Arc<str>>, limit: usize) -> Reply<Vec<SessionInfo>>;

    /// How many sessions a user has, over the fleet: counted in by [`Self::enter`].
    fn enter(&self, user: &Arc<str>, limit: u32) -> Result<(), Error>;

    /// A session of the user has ended.
    fn exit(&self, user: &Arc<str>);

    /// Takes over a session from whichever other worker has it.
    fn claim(&self, worker: usize, claim: Claim) -> Reply<Option<Record>>;

    /// Does what is due: announces presence, drops what has expired. Called every 100 ms.
    fn tick(&self);
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
}

/// A session on its way from one worker to another.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its rooms, and where its messages there began.
    pub rooms: Vec<(RoomKey, u64)>,
    /// Whether it still counts as a member of them, which goes over to whoever has the record.
    pub present: bool,
}
