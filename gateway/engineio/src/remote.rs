//! The ways from one worker to the others, of this gateway and of others.

use std::sync::Arc;

use sluice_net::inbox;

use crate::{
    peers::{Inbound, Joined, Parcel, Senders, SharedPeers},
    refusal::Refusal,
    sid::SidKey,
};

/// Where a worker's parcels arrive.
#[derive(Debug)]
pub struct Mailbox(pub(crate) inbox::Receiver<Parcel>);

/// The ways to other workers, and to other gateways where there are any.
#[derive(Debug, Clone)]
pub struct Mailboxes {
    senders: Senders,
    /// With which the workers make their sids.
    key: SidKey,
    peers: Option<Arc<SharedPeers>>,
}

/// The mailboxes of `workers` workers, in their order.
pub fn mailboxes(workers: usize) -> (Mailboxes, Vec<Mailbox>) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| inbox::inbox()).unzip();
    let mailboxes = Mailboxes {
        senders: Senders::new(senders),
        key: SidKey::random(),
        peers: None,
    };
    (mailboxes, receivers.into_iter().map(Mailbox).collect())
}

impl Mailboxes {
    /// Joins this gateway with others, before its engines start. What comes from the others goes
    /// into the [`Inbound`]. Must be called within a runtime.
    #[must_use]
    pub fn join(self, joined: Joined) -> (Self, Inbound) {
        let peers = SharedPeers::start(joined, self.senders.clone(), self.key);
        let mailboxes = Self {
            peers: Some(Arc::clone(&peers)),
            ..self
        };
        (mailboxes, Inbound(peers))
    }

    pub(crate) fn send(&self, worker: u8, parcel: Parcel) -> bool {
        self.senders.send(worker, parcel)
    }

    pub(crate) fn sid_key(&self) -> &SidKey {
        &self.key
    }

    /// The way to other gateways.
    pub(crate) fn peers(&self) -> Result<&Arc<SharedPeers>, Refusal> {
        self.peers.as_ref().ok_or(Refusal::UNKNOWN_SID)
    }
}
