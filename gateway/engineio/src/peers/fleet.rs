//! What the workers of a gateway share of its way to other gateways.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sluice_codec::peer::Tell;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Joined, PeerCounters, Peers, parts::Parts, tunnel::Tunnels};
use crate::{
    remote::{Parcel, Senders},
    sid::Sid,
};

/// How often gateways with tunnels between them say that they live. They give each other up after
/// several of these.
const BEAT: Duration = Duration::from_secs(2);

/// One for each gateway.
pub(crate) struct Fleet {
    pub(super) peers: Arc<dyn Peers>,
    pub(super) counters: PeerCounters,
    pub(super) tunnels: Tunnels,
    parts: Mutex<Parts>,
    gateway: u32,
    senders: Senders,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet")
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

impl Fleet {
    /// Begins; must be called within a runtime, whose task ends with the gateway.
    pub(crate) fn start(joined: Joined, senders: Senders) -> Arc<Self> {
        let fleet = Arc::new(Self {
            peers: joined.peers,
            counters: PeerCounters::default(),
            tunnels: Tunnels::new(joined.max_tunnels),
            parts: Mutex::default(),
            gateway: joined.gateway,
            senders,
        });
        tokio::spawn(beat(Arc::downgrade(&fleet)));
        fleet
    }

    pub(super) fn tell(&self, gateway: u32, tell: &Tell) {
        self.peers.tell(gateway, tell.kind(), tell.encode());
    }

    pub(super) fn parts(&self) -> MutexGuard<'_, Parts> {
        // Parts are whole between any two operations, so a poisoned lock is still usable.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a parcel for the worker that owns a session; false where there can be no such
    /// session, or the worker is too far behind.
    pub(super) fn deliver(&self, sid: Sid, parcel: Parcel) -> bool {
        sid.gateway == self.gateway && self.senders.send(sid.worker, parcel)
    }

    /// Asks the owners of the connections that this gateway passes on to let their clients move.
    /// They are told one after the other over `window`.
    pub(super) async fn leave(self: Arc<Self>, window: Duration) {
        let tunnels = self.tunnels.accepted();
        let Ok(count) = u32::try_from(tunnels.len()) else {
            return;
        };
        for (gateway, tunnel) in tunnels {
            self.tell(gateway, &Tell::Leave { tunnel });
            tokio::time::sleep(window / count.max(1)).await;
        }
    }

    fn beat(&self) {
        let now = Instant::now();
        for gateway in self.tunnels.watch(now) {
            self.tell(gateway, &Tell::Beat);
        }
        let lost = self.parts().sweep(now);
        for sid in lost {
            self.deliver(sid, Parcel::Lost { sid });
        }
    }
}

async fn beat(fleet: Weak<Fleet>) {
    let mut interval = tokio::time::interval(BEAT);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match fleet.upgrade() {
            Some(fleet) => fleet.beat(),
            None => return,
        }
    }
}
