//! What happens on one worker: its sessions, its rooms, and who gets what.

mod commands;
mod counters;
mod deliver;
mod encoded;
mod entering;
mod leaving;
mod namespace;
mod operations;
mod recovery;
mod reload;
mod room;
mod session;
mod timers;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use rustc_hash::FxHashMap;
use sluice_net::{Wheel, Worker, inbox};
use sluice_policy::Policy;
use sluice_rooms::{RoomKey, SessionId};
use smallvec::SmallVec;

pub(crate) use self::{
    counters::{HubCounters, LATENCY_BOUNDS},
    encoded::Encoded,
    entering::{Entered, Knock},
    session::{Outlet, Session},
};
use self::{namespace::Namespace, room::Room, timers::Timer};
use crate::{failure::Failure, mail::Mail, shared::Shared};

/// A user's sessions on this worker; most have one.
type Sessions = SmallVec<[Rc<Session>; 1]>;

type PolicyHook = Box<dyn Fn(&Policy)>;

/// One worker's part of the gateway.
pub(crate) struct Hub {
    pub(crate) worker: Rc<Worker>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<HubCounters>,
    policy: RefCell<Arc<Policy>>,
    namespaces: RefCell<FxHashMap<Arc<str>, Rc<Namespace>>>,
    sessions: RefCell<FxHashMap<SessionId, Rc<Session>>>,
    users: RefCell<FxHashMap<Arc<str>, Sessions>>,
    wheel: RefCell<Wheel<Timer>>,
    detached: RefCell<VecDeque<(SessionId, u32)>>,
    /// When messages were accepted whose delivery is not yet written.
    undelivered: RefCell<Vec<Instant>>,
    /// What else has to know of a new policy.
    on_policy: RefCell<Option<PolicyHook>>,
    started: Instant,
    detachments: Cell<u32>,
}

impl Hub {
    /// The hub of a worker; [`Self::run`] must be spawned beside it.
    pub(crate) fn new(
        worker: Rc<Worker>,
        shared: Arc<Shared>,
        counters: Arc<HubCounters>,
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
            wheel: RefCell::default(),
            detached: RefCell::default(),
            undelivered: RefCell::default(),
            on_policy: RefCell::default(),
            started: Instant::now(),
            detachments: Cell::new(0),
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

    /// Reads the worker's mail for ever.
    pub(crate) async fn run(self: Rc<Self>, mut inbox: inbox::Receiver<Mail>) {
        let mut mail = VecDeque::new();
        loop {
            inbox.receive(&mut mail).await;
            while let Some(letter) = mail.pop_front() {
                self.read(letter);
            }
        }
    }

    fn read(self: &Rc<Self>, mail: Mail) {
        match mail {
            Mail::Delivery(delivery) => self.deliver(delivery),
            Mail::Policy(policy) => self.reload(policy),
            Mail::Notify { reason, within_ms } => self.notify(reason, within_ms),
            Mail::Move(batch, done) => {
                // Whoever drains may have been told to stop.
                let _ = done.send(self.move_some(batch));
            }
        }
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.borrow())
    }

    /// Milliseconds since the hub began: the clock of its token buckets.
    pub(crate) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
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
