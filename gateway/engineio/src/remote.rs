//! The ways from one worker to the others, of this gateway and of others.

use std::sync::Arc;

use sluice_net::inbox;

use crate::{
    peers::{Fleet, Inbound, Joined, Parcel, Senders},
    refusal::Refusal,
};

/// Where a worker's parcels arrive.
#[derive(Debug)]
pub struct Mailbox(pub(crate) inbox::Receiver<Parcel>);

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
        senders: Senders::new(senders),
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
