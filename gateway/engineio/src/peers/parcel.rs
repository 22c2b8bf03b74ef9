//! Requests that reach one worker for a session of another, of this gateway or of others.

use std::sync::Arc;

use bytes::Bytes;
use sluice_net::{Portable, inbox};
use tokio::sync::oneshot;

use super::Tunnel;
use crate::{polling::Polled, refusal::Refusal, sid::Sid};

/// The body of a POST, or why it could not be read.
pub(crate) type Posted = Result<Bytes, Refusal>;

/// A request on its way to the worker that owns its session.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// A GET of the polling transport.
    Poll {
        sid: Sid,
        reply: oneshot::Sender<Polled>,
    },
    /// A POST of the polling transport. Where its body will not come, its client went away.
    Post {
        sid: Sid,
        body: oneshot::Receiver<Posted>,
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

impl Parcel {
    /// How many bytes it holds beside its own few.
    fn bytes(&self) -> usize {
        match self {
            Self::Probe { leftover, .. } => leftover.len(),
            // A POST's body comes by a way of its own, which has room for one.
            Self::Post { .. } | Self::Poll { .. } | Self::Tunnel { .. } | Self::Lost { .. } => 0,
        }
    }
}

/// Where each worker's parcels are sent, by worker.
#[derive(Debug, Clone)]
pub(crate) struct Senders(Arc<[inbox::Sender<Parcel>]>);

impl Senders {
    /// One mailbox a worker, in their order.
    pub(crate) fn new(mailboxes: Vec<inbox::Sender<Parcel>>) -> Self {
        Self(mailboxes.into())
    }

    /// Leaves a parcel; false where there is no such worker or it is too far behind.
    pub(crate) fn send(&self, worker: u8, parcel: Parcel) -> bool {
        let bytes = parcel.bytes();
        self.0
            .get(usize::from(worker))
            .is_some_and(|mailbox| mailbox.send(parcel, bytes).is_ok())
    }
}
