//! What reaches a worker from other threads, and the inboxes that it comes through.

use std::sync::Arc;

use bytes::Bytes;
use sluice_applications::{Arrival, Sockets};
use sluice_backbone::{BackboneEvent, Command, Workers};
use sluice_net::{Cause, inbox};
use sluice_policy::Policy;
use tokio::sync::oneshot;

/// A batch of connections to close.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) most: usize,
    pub(crate) cause: Cause,
}

/// What a worker did with a batch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Closed {
    pub(crate) closed: usize,
    pub(crate) left: usize,
}

/// One thing for a worker to take care of.
#[derive(Debug)]
pub(crate) enum InboxItem {
    /// From the backbone.
    Backbone(BackboneEvent),
    /// A new policy holds.
    Policy(Arc<Policy>),
    /// Tell every client that the gateway drains.
    Notify {
        reason: &'static str,
        within_ms: u64,
    },
    /// Close some connections so that they go elsewhere.
    Move(Move, oneshot::Sender<Closed>),
    /// No more are to be closed.
    MoveNoMore,
    /// Close all that is left.
    MoveRest,
    /// What the worker put off goes on here.
    Turn,
    /// What instances of applications say.
    Applications(Vec<Arrival>),
}

/// What a message takes in a client's queue beside its data, roughly.
const AROUND: usize = 256;

impl InboxItem {
    /// Whether somebody on this worker waits for it.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Backbone(BackboneEvent::Completion(_)))
    }

    /// How many bytes a client may be sent because of it, roughly.
    pub(crate) fn size(&self) -> usize {
        if let Self::Applications(arrivals) = self {
            return arrivals.iter().map(Arrival::size).sum::<usize>() + AROUND;
        }
        let message = match self {
            Self::Backbone(BackboneEvent::Room(message)) => message,
            Self::Backbone(BackboneEvent::Command(command, _)) => match &**command {
                Command::Send(_, _, message) => message,
                _ => return AROUND,
            },
            _ => return AROUND,
        };
        let attachments = message.attachments.iter().map(Bytes::len).sum::<usize>();
        message.data.len() + attachments + AROUND
    }
}

/// The workers' inboxes.
#[derive(Debug)]
pub(crate) struct Inboxes(Vec<inbox::Sender<InboxItem>>);

impl Inboxes {
    /// The inboxes of `workers` workers and where they are read.
    pub(crate) fn new(workers: usize) -> (Arc<Self>, Vec<inbox::Receiver<InboxItem>>) {
        let (senders, receivers) = (0..workers).map(|_| inbox::inbox()).unzip();
        (Arc::new(Self(senders)), receivers)
    }

    /// Leaves something for one worker.
    pub(crate) fn send(&self, worker: usize, item: InboxItem) {
        if let Some(inbox) = self.0.get(worker) {
            let bytes = item.size();
            inbox.send_always(item, bytes);
        }
    }

    /// Leaves something for every worker.
    pub(crate) fn send_all(&self, item: impl Fn() -> InboxItem) {
        (0..self.0.len()).for_each(|worker| self.send(worker, item()));
    }
}

impl Sockets for Inboxes {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn deliver(&self, worker: usize, arrivals: Vec<Arrival>) {
        self.send(worker, InboxItem::Applications(arrivals));
    }

    fn is_full(&self) -> bool {
        self.0.iter().any(inbox::Sender::is_full)
    }
}

impl Workers for Inboxes {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn is_full(&self, worker: usize) -> bool {
        self.0.get(worker).is_some_and(inbox::Sender::is_full)
    }

    fn is_idle(&self, worker: usize) -> bool {
        self.0.get(worker).is_none_or(inbox::Sender::is_idle)
    }

    fn deliver(&self, worker: usize, event: BackboneEvent) {
        self.send(worker, InboxItem::Backbone(event));
    }
}
