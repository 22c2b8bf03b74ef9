//! What the workers of a gateway share of what goes to other gateways and comes from them.

use std::{
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use sluice_codec::peer::{Ask, Tell};
use sluice_util::lock;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

use super::{
    ALIVE, Joined, Parcel, PeerCounters, Peers, Senders,
    keys::Keys,
    parts::Parts,
    tunnel::{Tunnels, Verdict},
};
use crate::sid::{Sid, SidKey};

/// How often gateways with tunnels between them ask each other whether they live.
const BEAT: Duration = Duration::from_millis(400);

/// The most tunnels whose other end waits to be told that they are not there.
const RESETS: usize = 1_024;

/// What became of connections that are passed on and were to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// How many owners were asked now.
    pub asked: usize,
    /// For how many none was asked yet.
    pub left: usize,
}

/// This gateway's side of all that goes between gateways; its workers share it.
pub(crate) struct SharedPeers {
    pub(super) peers: Arc<dyn Peers>,
    pub(super) counters: Arc<PeerCounters>,
    pub(super) tunnels: Arc<Tunnels>,
    parts: Mutex<Parts>,
    gateway: u32,
    senders: Senders,
    /// With which this gateway makes its sids.
    pub(super) key: SidKey,
    keys: Mutex<Keys>,
    resets: mpsc::Sender<(u32, u64)>,
}

impl std::fmt::Debug for SharedPeers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedPeers")
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

impl SharedPeers {
    /// Begins; must be called within a runtime, whose task ends with the gateway.
    pub(crate) fn start(joined: Joined, senders: Senders, key: SidKey) -> Arc<Self> {
        let (resets, to_reset) = mpsc::channel(RESETS);
        let counters = Arc::<PeerCounters>::default();
        let peers = Arc::clone(&joined.peers);
        let shared = Arc::new(Self {
            tunnels: Tunnels::new(joined.max_tunnels, peers, Arc::clone(&counters)),
            peers: joined.peers,
            counters,
            parts: Mutex::default(),
            gateway: joined.gateway,
            senders,
            key,
            keys: Mutex::default(),
            resets,
        });
        tokio::spawn(beat(Arc::downgrade(&shared), to_reset));
        shared
    }

    pub(super) fn tell(&self, gateway: u32, tell: &Tell) {
        self.peers.send(gateway, tell);
    }

    pub(super) fn parts(&self) -> MutexGuard<'_, Parts> {
        // Parts are whole between any two operations, so a poisoned lock is still usable.
        lock(&self.parts)
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, Keys> {
        // What is known of one gateway is whole between any two operations.
        lock(&self.keys)
    }

    /// Leaves a parcel for the worker that owns a session; false where there can be no such
    /// session, or the worker is too far behind.
    pub(super) fn deliver(&self, sid: Sid, parcel: Parcel) -> bool {
        sid.gateway == self.gateway && self.senders.send(sid.worker, parcel)
    }

    /// Has the other end learn that there is no such tunnel. It is told later, since whoever tells
    /// us something may hold what is needed to tell something back.
    pub(super) fn reset(&self, gateway: u32, tunnel: u64) {
        // One that is not told finds out by itself, for nobody acknowledges its bytes.
        let _ = self.resets.try_send((gateway, tunnel));
    }

    /// Asks the owners of up to `most` connections that this gateway passes on to close them.
    pub(super) fn leave(&self, most: usize) -> Leaving {
        let (leaving, left) = self.tunnels.leave(most);
        for (gateway, tunnel) in &leaving {
            self.tell(*gateway, &Tell::Leave { tunnel: *tunnel });
        }
        Leaving {
            asked: leaving.len(),
            left,
        }
    }

    fn beat(self: &Arc<Self>) {
        let now = Instant::now();
        for gateway in self.tunnels.watch(now) {
            tokio::spawn(ask(Arc::downgrade(self), gateway));
        }
        let lost = self.parts().sweep(now);
        for sid in lost {
            self.deliver(sid, Parcel::Lost { sid });
        }
    }
}

async fn beat(shared: Weak<SharedPeers>, mut to_reset: mpsc::Receiver<(u32, u64)>) {
    let mut interval = tokio::time::interval(BEAT);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let reset = tokio::select! {
            _ = interval.tick() => None,
            reset = to_reset.recv() => reset,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        match reset {
            Some((gateway, tunnel)) => shared.tell(gateway, &Tell::Reset { tunnel }),
            None => shared.beat(),
        }
    }
}

/// Asks a gateway with which there are tunnels whether it lives.
async fn ask(shared: Weak<SharedPeers>, gateway: u32) {
    let ask = Ask::Alive;
    let call = match shared.upgrade() {
        Some(shared) => shared.peers.call(gateway, ask.kind(), ask.encode(), ALIVE),
        None => return,
    };
    let answer = call.await.map(drop);
    let Some(shared) = shared.upgrade() else {
        return;
    };
    if shared.tunnels.answered(gateway, answer, Instant::now()) == Verdict::Gone {
        tracing::info!(
            gateway,
            "a gateway with tunnels to this one is gone; they end"
        );
    }
}
