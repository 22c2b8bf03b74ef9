//! One connection's namespaces.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use bytes::Bytes;
use sluice_net::Cause;
use sluice_util::Few;
use tokio::sync::oneshot;

use crate::{
    Accepted, Attempt, Carrier, Handler, Refused, attachments::Partial, attempt::Entry, packet,
};

/// The most answers of one client that are waited for at once.
const MAX_WAITING: usize = 256;

/// The arguments of an acknowledgement, as JSON.
type AckArguments = Box<str>;

/// What is done with an answer: the JSON array of its arguments, and its attachments.
type Answered = Box<dyn FnOnce(&str, Vec<Bytes>)>;

/// The answers that are waited for, by the id that was sent.
#[derive(Default)]
struct Waiting {
    last: u64,
    answered: HashMap<u64, Answered>,
}

impl Waiting {
    /// The id of one more answer; none where too many are waited for.
    fn expect(&mut self, answered: Answered) -> Option<u64> {
        if self.answered.len() >= MAX_WAITING {
            return None;
        }
        self.last += 1;
        self.answered.insert(self.last, answered);
        Some(self.last)
    }
}

/// What Socket.IO keeps of a connection, and what the handler does.
pub struct Client<H: Handler> {
    link: H::Link,
    entries: RefCell<Few<Entry<H::Socket>>>,
    pub(crate) partial: Cell<Option<Box<Partial>>>,
    waiting: Cell<Option<Box<Waiting>>>,
    pub(crate) idle_beats: Cell<u32>,
}

impl<H: Handler> std::fmt::Debug for Client<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl<H: Handler> Client<H> {
    pub(crate) fn new(link: H::Link) -> Self {
        Self {
            link,
            entries: RefCell::default(),
            partial: Cell::default(),
            waiting: Cell::default(),
            idle_beats: Cell::new(0),
        }
    }

    /// What the handler keeps of the connection.
    pub fn link(&self) -> &H::Link {
        &self.link
    }

    /// How many namespaces the client is in, or asks for.
    pub fn namespaces(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Notes that a namespace is asked for; `None` where it already was.
    pub(crate) fn begin(&self, namespace: &str) -> Option<Attempt> {
        let mut entries = self.entries.borrow_mut();
        if entries.iter().any(|entry| &*entry.namespace == namespace) {
            return None;
        }
        let namespace: Rc<str> = namespace.into();
        entries.push(Entry {
            namespace: Rc::clone(&namespace),
            socket: None,
        });
        Some(Attempt(namespace))
    }

    /// The name and socket of a namespace that the client is in.
    pub(crate) fn socket(&self, namespace: &str) -> Option<(Rc<str>, H::Socket)> {
        let entries = self.entries.borrow();
        let entry = entries
            .iter()
            .find(|entry| &*entry.namespace == namespace)?;
        Some((Rc::clone(&entry.namespace), entry.socket.clone()?))
    }

    /// Settles what was asked for; false where it is not, or no longer.
    fn set_socket(&self, attempt: &Attempt, socket: &H::Socket) -> bool {
        let mut entries = self.entries.borrow_mut();
        entries
            .iter_mut()
            .find(|entry| attempt.waits_as(entry))
            .map(|entry| entry.socket = Some(socket.clone()))
            .is_some()
    }

    pub(crate) fn remove(&self, namespace: &str) -> Option<Entry<H::Socket>> {
        self.remove_if(|entry| &*entry.namespace == namespace)
    }

    fn remove_if(&self, wanted: impl Fn(&Entry<H::Socket>) -> bool) -> Option<Entry<H::Socket>> {
        let mut entries = self.entries.borrow_mut();
        let at = entries.iter().position(wanted)?;
        entries.remove(at)
    }

    /// Forgets everything about a client that is gone; returns the namespaces it was in.
    pub(crate) fn take_all(&self) -> Few<Entry<H::Socket>> {
        self.partial.take();
        self.waiting.take();
        self.entries.take()
    }

    /// Whether the client still waits for the answer to this attempt.
    pub fn awaits(carrier: &Carrier<H>, attempt: &Attempt) -> bool {
        let entries = carrier.state().entries.borrow();
        carrier.ended().is_none() && entries.iter().any(|entry| attempt.waits_as(entry))
    }

    /// Lets the client into the namespace it asked for. False where the client has gone meanwhile
    /// or asks no longer, or again: the socket is then the caller's to end.
    pub fn accept(carrier: &Carrier<H>, attempt: &Attempt, accepted: &Accepted<H::Socket>) -> bool {
        if carrier.ended().is_some() || !carrier.state().set_socket(attempt, &accepted.socket) {
            return false;
        }
        carrier.send(&packet::connect(
            attempt.namespace(),
            &accepted.sid,
            accepted.pid.as_deref(),
        ));
        true
    }

    /// Refuses the client the namespace it asked for, if it still waits for that answer.
    pub fn refuse(carrier: &Carrier<H>, attempt: &Attempt, refused: &Refused) {
        let asked = carrier.state().remove_if(|entry| attempt.waits_as(entry));
        if asked.is_some() {
            let data = refused.data.as_deref();
            let namespace = attempt.namespace();
            carrier.send(&packet::connect_error(namespace, &refused.message, data));
        }
    }

    /// Ends a namespace for good: the stock client does not come back by itself. The connection
    /// ends with its last namespace: by the client, or soon.
    pub fn disconnect(
        carrier: &Rc<Carrier<H>>,
        namespace: &str,
        cause: Cause,
    ) -> Option<H::Socket> {
        let entry = carrier.state().remove(namespace)?;
        carrier.send(&packet::disconnect(namespace));
        if carrier.state().namespaces() == 0 {
            carrier.close_after_goodbye(cause);
        }
        entry.socket
    }

    /// Emits an event that the client is to acknowledge. The answer is the JSON array of its
    /// arguments; none comes where the client is not in the namespace, goes, or owes too many
    /// answers already.
    pub fn request(
        carrier: &Carrier<H>,
        namespace: &str,
        name: &str,
        args: &[&str],
    ) -> oneshot::Receiver<AckArguments> {
        let (sender, answer) = oneshot::channel();
        let answered = move |args: &str, _| {
            // Whoever asked may have stopped waiting.
            let _ = sender.send(args.into());
        };
        if let Some(id) = Self::expect(carrier, namespace, answered) {
            carrier.send(&packet::event(namespace, Some(id), name, args, &[]).head);
        }
        answer
    }

    /// The id of an event that is sent next and that the client is to acknowledge: `answered` is
    /// called with the JSON array of the answer's arguments and with its attachments. It is dropped
    /// where no answer can come any more. None where the client is not in the namespace, or owes
    /// too many answers already.
    pub fn expect(
        carrier: &Carrier<H>,
        namespace: &str,
        answered: impl FnOnce(&str, Vec<Bytes>) + 'static,
    ) -> Option<u64> {
        let client = carrier.state();
        client.socket(namespace)?;
        let mut waiting = client.waiting.take().unwrap_or_default();
        let id = waiting.expect(Box::new(answered));
        client.waiting.set(Some(waiting));
        id
    }

    /// Nobody waits any more for the answer that was to have this id.
    pub fn forget(carrier: &Carrier<H>, id: u64) {
        // It may do something when it is dropped.
        drop(carrier.state().take_answered(id));
    }

    fn take_answered(&self, id: u64) -> Option<Answered> {
        let mut waiting = self.waiting.take();
        let answered = waiting.as_mut().and_then(|w| w.answered.remove(&id));
        self.waiting.set(waiting);
        answered
    }

    /// An answer came; one that nobody waits for is of no interest.
    pub(crate) fn answered(&self, id: u64, args: &str, attachments: Vec<Bytes>) {
        if let Some(answered) = self.take_answered(id) {
            answered(args, attachments);
        }
    }
}
