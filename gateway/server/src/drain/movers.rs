//! Who closes connections: the workers, and the tunnels to connections that others own.

use std::sync::Arc;

use sluice_backbone::Workers as _;
use sluice_engineio::Inbound;
use sluice_net::Cause;
use tokio::sync::oneshot;

use crate::inboxes::{Closed, InboxItem, Inboxes, Move};

/// All that have connections of this gateway.
pub(crate) struct Movers {
    inboxes: Arc<Inboxes>,
    /// What other gateways ask about sessions of this one, where there are others.
    inbound: Option<Inbound>,
}

impl Movers {
    pub(crate) fn new(inboxes: Arc<Inboxes>, inbound: Option<Inbound>) -> Self {
        Self { inboxes, inbound }
    }

    /// Tells every client that the gateway drains.
    pub(super) fn notify(&self, reason: &'static str, within_ms: u64) {
        self.inboxes
            .send_all(|| InboxItem::Notify { reason, within_ms });
    }

    /// Has `most` connections closed between them, in turn.
    pub(super) async fn close(&self, most: usize) -> Closed {
        let workers = self.inboxes.count();
        let mut total = Closed::default();
        for worker in 0..workers {
            let most = (most - total.closed).div_ceil(workers - worker);
            let batch = Move {
                most,
                cause: Cause::Drain,
            };
            let (done, closed) = oneshot::channel();
            self.inboxes.send(worker, InboxItem::Move(batch, done));
            let part = closed.await.unwrap_or_default();
            total.closed += part.closed;
            total.left += part.left;
        }
        // Then those that others own, and that come and go through here.
        if let Some(inbound) = &self.inbound {
            let passed = inbound.leave(most.saturating_sub(total.closed));
            total.closed += passed.asked;
            total.left += passed.left;
        }
        total
    }

    /// No more are to be closed.
    pub(super) fn stop(&self) {
        self.inboxes.send_all(|| InboxItem::MoveNoMore);
    }

    /// Closes all that is left.
    pub(super) fn close_rest(&self) {
        self.inboxes.send_all(|| InboxItem::MoveRest);
    }
}
