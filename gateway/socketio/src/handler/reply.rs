//! Answering a client's event.

use std::rc::Rc;

use bytes::Bytes;

use crate::{Carrier, Handler, packet};

/// The way to answer an event, while it is handled.
pub struct Reply<'a, H: Handler> {
    pub(crate) carrier: &'a Rc<Carrier<H>>,
    pub(crate) namespace: &'a Rc<str>,
    pub(crate) id: Option<u64>,
}

impl<H: Handler> std::fmt::Debug for Reply<'_, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<H: Handler> Reply<'_, H> {
    /// Whether the client waits for an answer.
    pub fn is_expected(&self) -> bool {
        self.id.is_some()
    }

    /// The connection that the event came over.
    pub fn carrier(&self) -> &Rc<Carrier<H>> {
        self.carrier
    }

    /// Answers with one JSON argument; nothing is sent where the client waits for none.
    pub fn send(self, arg: &str) {
        send(self.carrier, self.namespace, self.id, &[arg], &[]);
    }

    /// Answers with any arguments and attachments.
    pub fn send_all(self, args: &[&str], attachments: &[Bytes]) {
        send(self.carrier, self.namespace, self.id, args, attachments);
    }

    /// Keeps the way to answer for later.
    pub fn detach(self) -> Ack<H> {
        Ack {
            carrier: Rc::clone(self.carrier),
            namespace: Rc::clone(self.namespace),
            id: self.id,
        }
    }
}

/// The way to answer an event after it was handled.
pub struct Ack<H: Handler> {
    carrier: Rc<Carrier<H>>,
    namespace: Rc<str>,
    id: Option<u64>,
}

impl<H: Handler> std::fmt::Debug for Ack<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ack")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<H: Handler> Ack<H> {
    /// Answers with one JSON argument; nothing is sent where the client waits for none.
    pub fn send(self, arg: &str) {
        send(&self.carrier, &self.namespace, self.id, &[arg], &[]);
    }

    /// Whether the client waits for an answer.
    pub fn is_expected(&self) -> bool {
        self.id.is_some()
    }

    /// Answers with the one JSON argument and the attachments that `make` makes, which is not
    /// called where the client waits for no answer.
    pub fn send_with(self, make: impl FnOnce() -> (String, Vec<Bytes>)) {
        if self.id.is_some() {
            let (arg, attachments) = make();
            self.send_all(&[&arg], &attachments);
        }
    }

    /// Answers with any arguments and attachments.
    pub fn send_all(self, args: &[&str], attachments: &[Bytes]) {
        send(&self.carrier, &self.namespace, self.id, args, attachments);
    }

    /// Answers with what was written elsewhere: the arguments as one JSON array.
    pub fn send_array(self, array: &str, attachments: &[Bytes]) {
        if let Some(id) = self.id {
            packet::ack_of(&self.namespace, id, array, attachments).send(&self.carrier);
        }
    }
}

fn send<H: Handler>(
    carrier: &Carrier<H>,
    namespace: &str,
    id: Option<u64>,
    args: &[&str],
    attachments: &[Bytes],
) {
    let Some(id) = id else { return };
    packet::ack(namespace, id, args, attachments).send(carrier);
}
