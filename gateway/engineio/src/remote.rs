//! Requests that reach one worker for a session of another.

use bytes::Bytes;
use sluice_net::{Portable, inbox};
use tokio::sync::oneshot;

use crate::{application::Refusal, polling::Polled, sid::Sid};

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
}

/// Where a worker's parcels arrive.
#[derive(Debug)]
pub struct Mailbox(pub(crate) inbox::Receiver<Parcel>);

/// Where each worker's parcels are sent, by worker.
#[derive(Debug, Clone)]
pub struct Mailboxes(Vec<inbox::Sender<Parcel>>);

/// The mailboxes of `workers` workers, in their order.
pub fn mailboxes(workers: usize) -> (Mailboxes, Vec<Mailbox>) {
    let (senders, receivers): (_, Vec<_>) = (0..workers).map(|_| inbox::inbox()).unzip();
    (
        Mailboxes(senders),
        receivers.into_iter().map(Mailbox).collect(),
    )
}

impl Mailboxes {
    /// Leaves a parcel; false where there is no such worker or it is too far behind.
    pub(crate) fn send(&self, worker: u8, parcel: Parcel) -> bool {
        self.0
            .get(usize::from(worker))
            .is_some_and(|mailbox| mailbox.send(parcel).is_ok())
    }
}
