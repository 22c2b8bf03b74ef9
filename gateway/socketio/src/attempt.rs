//! One CONNECT of a client.

use std::rc::Rc;

/// A client's wish to be let into a namespace, from its CONNECT until it is answered.
///
/// A client may take its wish back and have another at once, so an answer is for an attempt and
/// not for a namespace. Clones are the same attempt.
#[derive(Debug, Clone)]
pub struct Attempt(pub(crate) Rc<str>);

impl Attempt {
    /// The namespace that is asked for.
    pub fn namespace(&self) -> &str {
        &self.0
    }

    /// Whether this is the attempt that an entry stands for, and it has no answer. Each attempt has
    /// its own copy of the name, so that the copy tells it from others for the same namespace.
    pub(crate) fn waits_as<S>(&self, entry: &Entry<S>) -> bool {
        entry.socket.is_none() && Rc::ptr_eq(&entry.namespace, &self.0)
    }
}

/// One namespace of a connection; without a socket while the handler decides.
pub(crate) struct Entry<S> {
    pub(crate) namespace: Rc<str>,
    pub(crate) socket: Option<S>,
}
