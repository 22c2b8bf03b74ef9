//! What workers get from the backbone.

use std::sync::Arc;

use sluice_rooms::{Announcement, Message, RoomKey, SessionId};
use tokio::sync::oneshot;

use crate::{Claim, Command, Error, Gather, Record, Reply, SessionInfo};

/// Something that the backbone gives a worker to do.
#[derive(Debug)]
pub enum BackboneEvent {
    /// A message for the local members of a room.
    Room(Arc<Message>),
    /// Who came to and went from a room, for its local members.
    Presence(RoomKey, Arc<Announcement>),
    /// A command for the sessions it speaks of; each that carries it out adds 1.
    Command(Arc<Command>, Gather<u64>),
    /// A question for sessions, of one user or of all: so many at most from each worker.
    Sessions(Option<Arc<str>>, usize, Gather<SessionInfo>),
    /// Give up a session to whoever claims it.
    Claim(Claim, Gather<Record>),
    /// A message for the local members of a room is lost for good: they are to come back and be
    /// told.
    Lost(RoomKey),
    /// A session goes on at another gateway, which took this one for dead: what is left of it here
    /// ends.
    Moved(SessionId),
    /// Store every session again: what was stored of them may be lost.
    StoreAll,
    /// An answer that belongs here, between the messages before it and those behind it. Who waits
    /// for it must run before anything further is read.
    Completion(Completion),
}

/// Hands an answer to whoever waits for it.
pub struct Completion(Box<dyn FnOnce() + Send>);

impl Completion {
    /// An answer that `answer` finds once it is this one's turn, and that `tell` is sent.
    pub fn new<T: Send + 'static>(
        tell: oneshot::Sender<Result<T, Error>>,
        answer: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Self {
        Self(Box::new(move || {
            // Whoever waited may be gone.
            let _ = tell.send(answer());
        }))
    }

    /// As [`Self::new`], and where the answer arrives.
    pub fn answering<T: Send + 'static>(
        answer: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> (Self, Reply<T>) {
        let (tell, told) = oneshot::channel();
        (Self::new(tell, answer), Reply::told(told))
    }

    /// Hands the answer to whoever waits for it.
    pub fn give(self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Completion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Completion")
    }
}

/// The workers of this gateway, as the backbone sees them.
pub trait Workers: Send + Sync + 'static {
    /// How many workers there are, numbered from 0.
    fn count(&self) -> usize;

    /// Whether a worker is too far behind to be given more messages.
    fn is_full(&self, worker: usize) -> bool;

    /// Whether a worker has read all that was left for it. Only the worker itself can rely on it.
    fn is_idle(&self, worker: usize) -> bool;

    /// Leaves something for a worker. What is left under one lock arrives in the same order at
    /// every worker.
    fn deliver(&self, worker: usize, event: BackboneEvent);
}
