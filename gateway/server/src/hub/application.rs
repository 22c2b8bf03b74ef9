//! Sessions whose events go to an application.
//!
//! Such a session is attached to one instance of it at a time. Its rooms are the application's: any
//! names, and known on this worker alone, since what an instance says to a room it says to every
//! gateway. Where its instance goes, the session stays, with its rooms and its data, and what its
//! client does meanwhile is held until another instance has taken it over.

mod arriving;
mod asking;
mod casting;
mod emitting;
mod ending;
mod events;
mod handover;
mod held;
mod members;
mod pacing;
mod returning;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    sync::Arc,
    time::Instant,
};

use rustc_hash::FxHashMap;
use sluice_rooms::SessionId;
use tokio::sync::Notify;

pub(super) use self::asking::Denied;
use self::members::AttachedNamespace;
use super::{Hub, Session, attached::Attached};

/// An answer of a client that is waited for until then.
struct Awaited {
    until: Instant,
    session: Weak<Session>,
    id: u64,
}

/// What a worker knows of the sessions that are attached to instances.
#[derive(Default)]
pub(super) struct AttachedSessions {
    by_handle: RefCell<FxHashMap<u64, Rc<Session>>>,
    last: Cell<u64>,
    connections: Cell<u64>,
    namespaces: RefCell<FxHashMap<Arc<str>, Rc<AttachedNamespace>>>,
    /// Those that wait for an instance.
    unattached: RefCell<VecDeque<u64>>,
    /// An instance may be there now that was not.
    present: Notify,
    /// The number of the last emission, of the application whose arrival is read now.
    seq: Cell<u64>,
    /// Those whose clients came back and are not in yet.
    returning: RefCell<FxHashMap<SessionId, Rc<Session>>>,
    /// Those of whose events something waits.
    pressed: RefCell<Vec<u64>>,
    /// How many workers share what may wait.
    pub(super) workers: Cell<usize>,
    /// What clients are to answer, in the order in which it was asked.
    awaited: RefCell<VecDeque<Awaited>>,
}

impl AttachedSessions {
    fn by_handle(&self, handle: u64) -> Option<Rc<Session>> {
        self.by_handle.borrow().get(&handle).cloned()
    }

    fn namespace(&self, name: &Arc<str>) -> Rc<AttachedNamespace> {
        let mut namespaces = self.namespaces.borrow_mut();
        Rc::clone(namespaces.entry(Arc::clone(name)).or_default())
    }

    fn all(&self) -> Vec<Rc<Session>> {
        self.by_handle.borrow().values().cloned().collect()
    }
}

impl Hub {
    /// A number for one more session, by which its gateway and instances call it.
    fn next_handle(&self) -> u64 {
        let number = self.attached.last.get() + 1;
        self.attached.last.set(number);
        sluice_applications::handle(self.worker.index(), number)
    }

    /// A number for one more connection.
    pub(crate) fn next_connection(&self) -> u64 {
        let number = self.attached.connections.get() + 1;
        self.attached.connections.set(number);
        sluice_applications::handle(self.worker.index(), number)
    }

    /// Does what is due of attached sessions.
    pub(super) fn tick_attached(self: &Rc<Self>) {
        self.forget_unanswered();
        self.attach_waiting();
        self.tick_pressed();
    }
}
