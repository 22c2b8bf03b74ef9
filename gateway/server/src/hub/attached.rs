//! What a session has that is attached to an instance.

mod trail;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use serde_json::value::RawValue;
use sluice_applications::{Gone, Instance, Missed};
use sluice_contract::application::{Accept, Refuse};
use tokio::sync::oneshot;

pub(in crate::hub) use self::trail::Trail;

/// What is done with an instance's answer: the JSON array of its arguments, and its attachments.
pub(crate) type Answer = Box<dyn FnOnce(&str, &[Bytes])>;

/// What an instance says to a client that wants in.
pub(in crate::hub) enum Admission {
    Accepted(Accept),
    Refused(Refuse),
}

/// What becomes of a client that an instance was asked about.
pub(in crate::hub) type Admitted = Result<(), Refuse>;

/// How far a session's attachment has come.
pub(in crate::hub) enum State {
    /// An instance is asked whether its client may come in.
    Asking(oneshot::Sender<Admitted>),
    /// It may, and does not know yet.
    Accepted,
    /// Its events go to its instance.
    In,
    /// Its instance was told that nothing more comes, and has not said that it is done.
    Fenced,
    /// It has no instance.
    Waiting,
    /// Another instance is asked to take it over.
    Offered,
}

/// An event of the client's that its instance has not answered.
pub(in crate::hub) struct Unanswered {
    /// The event as it was said.
    pub(in crate::hub) entry: Bytes,
    pub(in crate::hub) answer: Answer,
}

impl Unanswered {
    /// Its bytes, with what is around them.
    fn size(&self) -> usize {
        self.entry.len() + 256
    }
}

/// Something that is done once the client knows that it is connected.
type Early = Box<dyn FnOnce()>;

/// The most bytes of what waits for that. A client that is connected may have no more waiting
/// either.
const MOST_EARLY: usize = 1024 * 1024;

/// What each such thing takes beside them.
const AROUND_EARLY: usize = 256;

/// Events that wait for an instance.
#[derive(Default)]
pub(in crate::hub) struct Held {
    pub(in crate::hub) entries: VecDeque<Bytes>,
    pub(in crate::hub) bytes: usize,
}

/// What instances are told of a session's client, as long as it is connected.
pub(in crate::hub) struct Origin {
    pub(in crate::hub) handshake: Box<RawValue>,
    pub(in crate::hub) auth: Option<Box<RawValue>>,
    pub(in crate::hub) transport: &'static str,
    pub(in crate::hub) connection: u64,
}

/// A session's part in an application.
pub(crate) struct Attached {
    /// By which number gateway and instances call it.
    pub(in crate::hub) handle: u64,
    pub(in crate::hub) application: Arc<str>,
    pub(in crate::hub) origin: Origin,
    pub(in crate::hub) state: RefCell<State>,
    pub(in crate::hub) instance: RefCell<Option<Arc<Instance>>>,
    pub(in crate::hub) rooms: RefCell<Vec<Arc<str>>>,
    pub(in crate::hub) data: RefCell<Option<Box<RawValue>>>,
    pub(in crate::hub) rev: Cell<u64>,
    /// By the number that the instance was given, in the order in which they came.
    pub(in crate::hub) unanswered: RefCell<BTreeMap<u64, Unanswered>>,
    owed_bytes: Cell<usize>,
    pub(in crate::hub) last_question: Cell<u64>,
    pub(in crate::hub) held: RefCell<Held>,
    /// Since when its client is not read.
    pub(in crate::hub) paused: Cell<Option<tokio::time::Instant>>,
    /// Whether it is among those of whom something waits.
    pub(in crate::hub) pressed: Cell<bool>,
    /// Whether its client knows that it is connected.
    pub(in crate::hub) connected: Cell<bool>,
    /// What was done to it before that.
    early: RefCell<Vec<Early>>,
    early_bytes: Cell<usize>,
    /// Where lost connections are recovered: what it was in, and when.
    pub(in crate::hub) trail: RefCell<Trail>,
    /// Where its client lost its connection and came back: behind which number it has got nothing.
    pub(in crate::hub) returned: Cell<Option<u64>>,
    /// Whether another connection of its client claims it before this one is in.
    pub(in crate::hub) claimed: Cell<bool>,
    /// What such a client missed.
    pub(in crate::hub) missed: RefCell<Result<Vec<Missed>, Gone>>,
}

impl Attached {
    pub(in crate::hub) fn new(handle: u64, application: Arc<str>, origin: Origin) -> Box<Self> {
        Box::new(Self {
            handle,
            application,
            origin,
            state: RefCell::new(State::Waiting),
            instance: RefCell::default(),
            rooms: RefCell::default(),
            data: RefCell::default(),
            rev: Cell::new(0),
            unanswered: RefCell::default(),
            owed_bytes: Cell::new(0),
            last_question: Cell::new(0),
            held: RefCell::default(),
            paused: Cell::new(None),
            pressed: Cell::new(false),
            connected: Cell::new(false),
            early: RefCell::default(),
            early_bytes: Cell::new(0),
            trail: RefCell::default(),
            returned: Cell::new(None),
            claimed: Cell::new(false),
            missed: RefCell::new(Ok(Vec::new())),
        })
    }

    /// Its instance, if it has one.
    pub(in crate::hub) fn instance(&self) -> Option<Arc<Instance>> {
        self.instance.borrow().clone()
    }

    /// Whether it is attached to this instance.
    pub(in crate::hub) fn is_of(&self, instance: &Arc<Instance>) -> bool {
        let own = self.instance.borrow();
        own.as_ref().is_some_and(|own| Arc::ptr_eq(own, instance))
    }

    /// Whether its client knows that it is connected.
    pub(in crate::hub) fn is_connected(&self) -> bool {
        self.connected.get()
    }

    /// Has something of so many bytes done once its client knows that it is connected.
    pub(in crate::hub) fn put_off(&self, bytes: usize, early: impl FnOnce() + 'static) {
        let bytes = self.early_bytes.get() + bytes + AROUND_EARLY;
        self.early_bytes.set(bytes);
        if bytes <= MOST_EARLY {
            self.early.borrow_mut().push(Box::new(early));
        }
    }

    /// What was put off; none where that became too much.
    pub(in crate::hub) fn take_early(&self) -> Option<Vec<Early>> {
        let fits = self.early_bytes.take() <= MOST_EARLY;
        let early = self.early.take();
        fits.then_some(early)
    }

    /// How many events wait for an answer.
    pub(in crate::hub) fn owed(&self) -> usize {
        self.unanswered.borrow().len()
    }

    /// The bytes of those.
    pub(in crate::hub) fn owed_bytes(&self) -> usize {
        self.owed_bytes.get()
    }

    /// Keeps an event until it is answered.
    pub(in crate::hub) fn owe(&self, number: u64, unanswered: Unanswered) {
        let bytes = self.owed_bytes.get() + unanswered.size();
        self.owed_bytes.set(bytes);
        self.unanswered.borrow_mut().insert(number, unanswered);
    }

    /// Takes an event whose answer is there.
    pub(in crate::hub) fn settle(&self, number: u64) -> Option<Unanswered> {
        let unanswered = self.unanswered.borrow_mut().remove(&number)?;
        let bytes = self.owed_bytes.get().saturating_sub(unanswered.size());
        self.owed_bytes.set(bytes);
        Some(unanswered)
    }
}
