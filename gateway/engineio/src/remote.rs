//! Requests that reach one worker for a session of another, of this gateway or of others.

use std::sync::Arc;

use bytes::Bytes;
use sluice_net::{Portable, inbox};
use tokio::sync::oneshot;

use crate::{
    application::Refusal,
    peers::{Fleet, Inbound, Joined, Tunnel},
    polling::Polled,
    sid::Sid,
};

/// A request on its way to the worker that owns its session.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// A GET of the polling transport.
    Poll {
        sid: Sid,
        reply: oneshot::Sender<Polled>,
    },
    /// A POST of the polling transport, read whole.
    Post {
        sid: Sid,
        body: Bytes,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// A WebSocket that wants to take over from polling.
    Probe {
        sid: Sid,
        stream: Box<Portable>,
        leftover: Bytes,
        deflate: bool,
    },
    /// A WebSocket that another gateway accepted.
    Tunnel {
        sid: Sid,
        tunnel: Tunnel,
        deflate: bool,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// The client went away before it got an answer.
    Lost { sid: Sid },
}

/// Where a worker's parcels arrive.
#[derive(Debug)]
pub struct Mailbox(pub(crate) inbox::Receiver<Parcel>);

/// Where each worker's parcels are sent, by worker.
#[derive(Debug, Clone)]
pub(crate) struct Senders(Arc<[inbox::Sender<Parcel>]>);

impl Senders {
    /// Leaves a parcel; false where there is no such worker or it is too far behind.
    pub(crate) fn send(&self, worker: u8, parcel: Parcel) -> bool {
        self.0
            .get(usize::from(worker))
            .is_some_and(|mailbox| mailbox.send(parcel).is_ok())
    }
}

/// The ways to other workers, and to other gateways where there are any.
#[derive(Debug, Clone)]
pub struct Mailboxes {
    senders: Senders,
    fleet: Option<Arc<Fleet>>,
}

/// The mailboxes of `workers` workers, in their order.
pub fn mailboxes(workers: usize) -> (Mailboxes, Vec<Mailbox>) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| inbox::inbox()).unzip();
    let mailboxes = Mailboxes {
        senders: Senders(senders.into()),
        fleet: None,
    };
    (mailboxes, receivers.into_iter().map(Mailbox).collect())
}

impl Mailboxes {
    /// Joins this gateway with others, before its engines start. What comes from the others goes
    /// into the [`Inbound`]. Must be called within a runtime.
    #[must_use]
    pub fn join(self, joined: Joined) -> (Self, Inbound) {
        let fleet = Fleet::start(joined, self.senders.clone());
        let mailboxes = Self {
            fleet: Some(Arc::clone(&fleet)),
            ..self
        };
        (mailboxes, Inbound(fleet))
    }

    pub(crate) fn send(&self, worker: u8, parcel: Parcel) -> bool {
        self.senders.send(worker, parcel)
    }

    /// The way to other gateways.
    pub(crate) fn fleet(&self) -> Result<&Arc<Fleet>, Refusal> {
        self.fleet.as_ref().ok_or(Refusal::UNKNOWN_SID)
    }
}
