//! What connects the workers of a gateway, and gateways with each other.
//!
//! A [`Backbone`] takes publications, keeps the histories of rooms, and hands every worker the
//! messages of the rooms it has members in, in one order that is the same for all. [`Memory`] is
//! complete within one process.
//!
//! A worker that subscribes is told where a room's messages begin for it: it gets all that come
//! after, once, and none from before. A receipt is given only for a message that every member will
//! get, and that is in the history where the room has one.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use sluice_backbone::{Backbone, BackboneEvent, Memory, Publication, Reply, Workers};
//! use sluice_rooms::{Publisher, RoomKey, RoomSettings};
//!
//! /// One worker, which keeps what it is given.
//! #[derive(Default)]
//! struct Worker(Mutex<Vec<BackboneEvent>>);
//!
//! impl Workers for Worker {
//!     fn count(&self) -> usize {
//!         1
//!     }
//!
//!     fn is_full(&self, _: usize) -> bool {
//!         false
//!     }
//!
//!     fn is_idle(&self, _: usize) -> bool {
//!         true
//!     }
//!
//!     fn deliver(&self, _: usize, event: BackboneEvent) {
//!         self.0.lock().unwrap().push(event);
//!     }
//! }
//!
//! let worker = Arc::new(Worker::default());
//! let backbone = Memory::new(worker.clone());
//! let (lobby, settings) = (RoomKey::new("/", "lobby"), RoomSettings::default());
//! assert!(matches!(backbone.subscribe(0, &lobby, &settings), Reply::Now(Ok(_))));
//!
//! let publication = Publication {
//!     room: lobby,
//!     settings,
//!     event: "say".into(),
//!     data: r#""hello""#.into(),
//!     attachments: Vec::new(),
//!     from: Some("ann".into()),
//!     publisher: Publisher::User("ann".into()),
//!     id: None,
//!     except: None,
//! };
//! assert!(matches!(backbone.publish(publication), Reply::Now(Ok(_))));
//! let events = worker.0.lock().unwrap();
//! let [BackboneEvent::Room(message)] = &events[..] else { panic!("one message of the room") };
//! assert_eq!((&*message.event, &*message.data), ("say", r#""hello""#));
//! ```

mod command;
mod error;
mod gather;
mod memory;
mod publication;
mod reply;
mod session;
mod stats;
mod workers;

pub use command::{Command, SessionInfo, Target};
pub use error::Error;
pub use gather::Gather;
pub use memory::Memory;
pub use publication::{Publication, Receipt};
pub use reply::Reply;
pub use session::{Claim, Reader, Record, Stored};
use sluice_rooms::{Epoch, Page, Query, Reading, RoomKey, RoomSettings, SessionId};
pub use stats::Stats;
pub use workers::{BackboneEvent, Completion, Workers};

use std::{sync::Arc, time::Duration};

/// Where a member's messages begin.
#[derive(Debug, Clone, Copy)]
pub struct Joined {
    /// The history's identity.
    pub epoch: Epoch,
    /// No message of the room that the worker has had so far has a greater offset: what comes is
    /// greater.
    pub offset: u64,
}

/// What a session missed in all its rooms.
#[derive(Debug, Clone, Default)]
pub struct Missed {
    /// The messages of all rooms, in the order of their offsets. Each says how far its reader is
    /// with it, in these and in all other rooms.
    pub messages: Vec<Arc<sluice_rooms::Message>>,
    /// For each bookmark, in their order: every message of the room up to this offset is among
    /// them, and what comes is greater.
    pub through: Vec<u64>,
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
    /// How long ago at most the first message after that was published, where that is known.
    pub within: Option<Duration>,
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
/// [`Reply::Later`]. What workers are to do goes to the [`Workers`] that the backbone was made with.
///
/// The answers of [`Self::subscribe`] and [`Self::missed`] belong between two messages: what was
/// delivered to the worker before is not greater than the offsets in the answer, and what comes
/// after is. One is therefore itself a [`BackboneEvent::Completion`], behind what the worker has
/// still to read; only a worker that has read everything gets it at once.
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

    /// What a reader missed; [`Error::Gone`] where some of it is no longer there, or where that
    /// cannot be ruled out. `worker` must be subscribed to all rooms of `bookmarks`.
    fn missed(&self, worker: usize, bookmarks: &[Bookmark], reader: Reader) -> Reply<Missed>;

    /// Messages of a room's history.
    fn history(
        &self,
        room: &RoomKey,
        settings: &RoomSettings,
        query: Query,
    ) -> Reply<(Epoch, Page)>;

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

    /// Takes over a session from whichever other worker has it, here or in another gateway, or
    /// had it until its gateway died.
    fn claim(&self, worker: usize, claim: Claim) -> Reply<Option<Record>>;

    /// Waits until it is known whether another gateway took over a session of this worker while
    /// this gateway could not be reached. Where one did, the worker gets [`BackboneEvent::Moved`] before
    /// the reply. At once but for the first seconds after a connection to the other gateways was
    /// lost.
    fn confirm(&self, worker: usize, session: SessionId) -> Reply<()>;

    /// Whether anything of sessions and messages outlives this process, so that [`Self::store`]
    /// is worth calling.
    fn outlives_process(&self) -> bool;

    /// Keeps what is needed for the session to go on elsewhere if this gateway dies. When the
    /// reply is there, it is kept.
    fn store(&self, session: Stored) -> Reply<()>;

    /// The session has ended for good: what was kept of it can go.
    fn forget(&self, session: SessionId);

    /// No message with a greater offset was delivered to a worker.
    fn delivered(&self) -> u64;

    /// How far the client of a session has read in each room that it was a member of here, given
    /// where its messages began there, and how far the client says that it has read: no further
    /// than that, and less where a message reached this gateway when the client was gone.
    fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading);

    /// What it holds, with the rooms' sizes in buckets of these upper bounds.
    fn stats(&self, bounds: &[u64]) -> Stats;

    /// Does what is due: announces presence, drops what has expired. Called every 100 ms.
    fn tick(&self);
}
