//! What happens on one worker: its sessions, its rooms, and who gets what.
//!
//! Hub, session, room, namespace and the Socket.IO front know each other: a session is in rooms of
//! a namespace and has a connection of the front, rooms hold their sessions, and the front acts
//! through the hub.

mod application;
mod attached;
mod caught_up;
mod commands;
mod counters;
mod deliver;
mod detached;
mod draining;
mod encoded;
mod entering;
mod holding;
mod identify;
mod knock;
mod leaving;
mod namespace;
mod operations;
mod policy_change;
mod position;
mod recovery;
mod replay;
mod resuming;
mod room;
mod saving;
mod session;
#[cfg(test)]
mod tests;
mod timers;
mod tokens;
mod trace;
mod turns;

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use sluice_net::{Slices, Worker, inbox};
use sluice_policy::Policy;
use sluice_rooms::{RoomKey, SessionId};
use sluice_util::Few;

use self::{
    application::AttachedSessions, detached::Detached, namespace::Namespace, replay::Encodings,
    resuming::Resuming, room::Room, saving::Saves, timers::SessionTimers, turns::Turns,
};
pub(crate) use self::{
    attached::Answer,
    counters::{HubCounters, LATENCY_BOUNDS},
    encoded::Encoded,
    entering::Entered,
    knock::Knock,
    position::ClientPosition,
    session::{Outlet, Session},
};
use crate::{failure::Failure, inboxes::InboxItem, shared::Shared};

/// A user's sessions on this worker.
type Sessions = Few<Rc<Session>>;

type PolicyHook = Box<dyn Fn(&Policy)>;
type DrainHook = Box<dyn Fn()>;

/// The most sessions of one worker that wait to be recovered.
const MAX_DETACHED: usize = 65_536;

/// How long the inbox is read before others run.
const SLICE: Duration = Duration::from_millis(1);

/// One worker's part of the gateway.
pub(crate) struct Hub {
    pub(crate) worker: Rc<Worker>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<HubCounters>,
    policy: RefCell<Arc<Policy>>,
    namespaces: RefCell<FxHashMap<Arc<str>, Rc<Namespace>>>,
    sessions: RefCell<FxHashMap<SessionId, Rc<Session>>>,
    users: RefCell<HashMap<Arc<str>, Sessions>>,
    timers: SessionTimers,
    saves: Saves,
    detached: Detached,
    max_detached: Cell<usize>,
    /// Whose connections a drain closes next, from the end.
    to_move: RefCell<Vec<Rc<Session>>>,
    resuming: Resuming,
    /// What goes on behind what the worker has still to read.
    turns: Turns,
    /// When messages were accepted whose delivery is not yet written.
    undelivered: RefCell<Vec<Instant>>,
    /// When tokens are checked.
    checks: Slices,
    encodings: Encodings,
    /// What else has to know of a new policy.
    on_policy: RefCell<Option<PolicyHook>>,
    /// What else has to be closed at the end of a drain.
    on_drained: RefCell<Option<DrainHook>>,
    attached: AttachedSessions,
}

impl Hub {
    /// The hub of a worker that reads `inbox`; [`Self::run`] must be spawned beside it.
    pub(crate) fn new(
        worker: Rc<Worker>,
        shared: Arc<Shared>,
        counters: Arc<HubCounters>,
        inbox: &inbox::Receiver<InboxItem>,
    ) -> Rc<Self> {
        let policy = shared.policy.load_full();
        let hub = Rc::new(Self {
            worker,
            shared,
            counters,
            policy: RefCell::new(policy),
            namespaces: RefCell::default(),
            sessions: RefCell::default(),
            users: RefCell::default(),
            timers: SessionTimers::new(),
            saves: Saves::default(),
            detached: Detached::default(),
            max_detached: Cell::new(MAX_DETACHED),
            to_move: RefCell::default(),
            resuming: Resuming::default(),
            turns: Turns::new(inbox.sender()),
            undelivered: RefCell::default(),
            checks: Slices::default(),
            encodings: Encodings::default(),
            on_policy: RefCell::default(),
            on_drained: RefCell::default(),
            attached: AttachedSessions::default(),
        });
        let observer = Rc::downgrade(&hub);
        hub.worker.on_flushed(move || {
            if let Some(hub) = observer.upgrade() {
                hub.observe_delivery();
            }
        });
        hub
    }

    /// Has `hook` called with each new policy.
    pub(crate) fn on_policy(&self, hook: impl Fn(&Policy) + 'static) {
        *self.on_policy.borrow_mut() = Some(Box::new(hook));
    }

    /// Has `hook` called at the end of a drain.
    pub(crate) fn on_drained(&self, hook: impl Fn() + 'static) {
        *self.on_drained.borrow_mut() = Some(Box::new(hook));
    }

    /// Reads the worker's inbox for ever.
    ///
    /// Connections are written to once it lets others run. Where the queue of one becomes half full,
    /// it waits until they were, so that a client that reads as fast as can be is not taken for one
    /// that does not.
    pub(crate) async fn run(self: Rc<Self>, mut inbox: inbox::Receiver<InboxItem>) {
        let mut items = VecDeque::new();
        loop {
            inbox.receive(&mut items).await;
            let mut began = Instant::now();
            while let Some(item) = items.pop_front() {
                let answers = item.is_answer();
                self.read(item);
                if self.worker.take_crowded() {
                    self.worker.written().await;
                } else if answers || began.elapsed() > SLICE {
                    // Who waited for the answer goes on before the next item is read.
                    tokio::task::yield_now().await;
                } else {
                    continue;
                }
                began = Instant::now();
            }
        }
    }

    fn read(self: &Rc<Self>, item: InboxItem) {
        match item {
            InboxItem::Backbone(event) => self.deliver(event),
            InboxItem::Policy(policy) => self.reload(policy),
            InboxItem::Notify { reason, within_ms } => self.notify(reason, within_ms),
            InboxItem::Move(batch, done) => {
                // Whoever drains may have been told to stop.
                let _ = done.send(self.move_some(batch));
            }
            InboxItem::MoveNoMore => drop(self.to_move.take()),
            InboxItem::MoveRest => self.move_rest(),
            InboxItem::Turn => self.turns.next(),
            InboxItem::Applications(arrivals) => self.arrived(arrivals),
        }
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.borrow())
    }

    /// Milliseconds by the clock of the sessions' token buckets.
    pub(crate) fn now_ms(&self) -> u64 {
        self.shared.admission.holders.now_ms()
    }

    fn namespace(&self, name: &str) -> Rc<Namespace> {
        if let Some(known) = self.namespaces.borrow().get(name) {
            return Rc::clone(known);
        }
        let namespace = Namespace::new(name);
        let name = Arc::clone(&namespace.name);
        self.namespaces
            .borrow_mut()
            .insert(name, Rc::clone(&namespace));
        namespace
    }

    /// The room of that name, with the policy that holds for it.
    fn room(&self, namespace: &Namespace, name: &str) -> Result<Rc<Room>, Failure> {
        if let Some(known) = namespace.known(name) {
            return Ok(known);
        }
        let policy = self.policy.borrow().room(&namespace.name, name).cloned();
        let policy = policy.ok_or(Failure::ROOM_UNKNOWN)?;
        let room = Room::new(RoomKey::new(Arc::clone(&namespace.name), name), policy);
        namespace.insert(&room);
        Ok(room)
    }

    fn session(&self, id: SessionId) -> Option<Rc<Session>> {
        self.sessions.borrow().get(&id).cloned()
    }
}
