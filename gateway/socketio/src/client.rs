//! One connection's namespaces.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use sluice_net::Cause;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use crate::{Accepted, Carrier, Handler, Refused, attachments::Partial, packet};

/// The most answers of one client that are waited for at once.
const MAX_WAITING: usize = 256;

/// One namespace of a connection; without a socket while the handler decides.
pub(crate) struct Entry<S> {
    pub(crate) namespace: Rc<str>,
    pub(crate) socket: Option<S>,
}

/// The arguments of an acknowledgement, as JSON.
type AckArguments = Box<str>;

/// The answers that are waited for, by the id that was sent.
#[derive(Default)]
struct Waiting {
    last: u64,
    senders: HashMap<u64, oneshot::Sender<AckArguments>>,
}

/// What Socket.IO keeps of a connection, and what the handler does.
pub struct Client<H: Handler> {
    link: H::Link,
    entries: RefCell<SmallVec<[Entry<H::Socket>; 1]>>,
    pub(crate) partial: RefCell<Option<Box<Partial>>>,
    waiting: RefCell<Option<Box<Waiting>>>,
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
            partial: RefCell::default(),
            waiting: RefCell::default(),
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
    pub(crate) fn begin(&self, namespace: &str) -> Option<Rc<str>> {
        let mut entries = self.entries.borrow_mut();
        if entries.iter().any(|entry| &*entry.namespace == namespace) {
            return None;
        }
        let namespace: Rc<str> = namespace.into();
        entries.push(Entry {
            namespace: Rc::clone(&namespace),
            socket: None,
        });
        Some(namespace)
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
    fn set_socket(&self, namespace: &str, socket: &H::Socket) -> bool {
        let mut entries = self.entries.borrow_mut();
        let asked =
            |entry: &&mut Entry<_>| &*entry.namespace == namespace && entry.socket.is_none();
        entries
            .iter_mut()
            .find(asked)
            .map(|entry| entry.socket = Some(socket.clone()))
            .is_some()
    }

    pub(crate) fn remove(&self, namespace: &str) -> Option<Entry<H::Socket>> {
        self.remove_if(namespace, |_| true)
    }

    fn remove_if(
        &self,
        namespace: &str,
        condition: impl Fn(&Entry<H::Socket>) -> bool,
    ) -> Option<Entry<H::Socket>> {
        let mut entries = self.entries.borrow_mut();
        let wanted = |entry: &Entry<_>| &*entry.namespace == namespace && condition(entry);
        let at = entries.iter().position(wanted)?;
        Some(entries.remove(at))
    }

    /// Forgets everything about a client that is gone; returns the namespaces it was in.
    pub(crate) fn take_all(&self) -> SmallVec<[Entry<H::Socket>; 1]> {
        self.partial.take();
        self.waiting.take();
        self.entries.take()
    }

    /// Lets the client into a namespace it asked for. False where the client has gone meanwhile or
    /// asks no longer: the socket is then the caller's to end.
    pub fn accept(carrier: &Carrier<H>, namespace: &str, accepted: &Accepted<H::Socket>) -> bool {
        if carrier.ended().is_some() || !carrier.state().set_socket(namespace, &accepted.socket) {
            return false;
        }
        carrier.send(&packet::connect(
            namespace,
            &accepted.sid,
            accepted.pid.as_deref(),
        ));
        true
    }

    /// Refuses the client a namespace it asked for, if it still does.
    pub fn refuse(carrier: &Carrier<H>, namespace: &str, refused: &Refused) {
        let asked = carrier
            .state()
            .remove_if(namespace, |entry| entry.socket.is_none());
        if asked.is_some() {
            let data = refused.data.as_deref();
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
        if let Some(id) = carrier.state().expect_answer(namespace, sender) {
            carrier.send(&packet::event(namespace, Some(id), name, args, &[]).head);
        }
        answer
    }

    fn expect_answer(&self, namespace: &str, sender: oneshot::Sender<AckArguments>) -> Option<u64> {
        self.socket(namespace)?;
        let mut waiting = self.waiting.borrow_mut();
        let waiting = waiting.get_or_insert_default();
        if waiting.senders.len() >= MAX_WAITING {
            waiting.senders.retain(|_, sender| !sender.is_closed());
        }
        if waiting.senders.len() >= MAX_WAITING {
            return None;
        }
        waiting.last += 1;
        waiting.senders.insert(waiting.last, sender);
        Some(waiting.last)
    }

    /// An answer came; one that nobody waits for is of no interest.
    pub(crate) fn answered(&self, id: u64, args: &str) {
        let mut waiting = self.waiting.borrow_mut();
        let Some(waiting) = waiting.as_mut() else {
            return;
        };
        if let Some(sender) = waiting.senders.remove(&id) {
            let _ = sender.send(args.into());
        }
    }
}
