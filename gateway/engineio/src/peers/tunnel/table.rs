//! The tunnels of a gateway, by the gateway at the other end and their number.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use sluice_codec::peer::Tell;
use sluice_util::lock;
use tokio::{sync::mpsc, time::Instant};

use super::{
    super::Unreachable,
    PeerCounters, Peers, Told, Tunnel,
    watch::{Verdict, Watch},
};

/// A tunnel whose other end said nothing for so long is asked whether it is there. Clients'
/// heartbeats make most of them say more.
const QUIET: Duration = Duration::from_secs(15);

/// The most frames that wait for one tunnel's task. With the window full of ordinary reads there
/// are fewer than a hundred; only an end that breaks the rules reaches this.
const WAITING: usize = 8_192;

type Key = (u32, u64);

/// What is known of the tunnels.
pub(in crate::peers) struct Tunnels {
    most: usize,
    pub(super) peers: Arc<dyn Peers>,
    pub(super) counters: Arc<PeerCounters>,
    table: Mutex<Table>,
}

impl std::fmt::Debug for Tunnels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnels")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<Key, Entrance>,
    peers: HashMap<u32, Peer>,
}

#[derive(Debug)]
struct Entrance {
    told: mpsc::Sender<Told>,
    /// When something last came, or was asked for.
    heard: Instant,
    /// Whether its client is connected to this gateway, and was not asked to leave.
    stays: bool,
}

#[derive(Debug, Default)]
struct Peer {
    tunnels: usize,
    watch: Watch,
}

impl Tunnels {
    /// None yet, and `most` at once; what their ends tell each other goes by `peers`.
    pub(in crate::peers) fn new(
        most: usize,
        peers: Arc<dyn Peers>,
        counters: Arc<PeerCounters>,
    ) -> Arc<Self> {
        Arc::new(Self {
            most,
            peers,
            counters,
            table: Mutex::default(),
        })
    }

    /// A new tunnel with the gateway, unless there are too many, or one of this number.
    pub(in crate::peers) fn open(
        self: &Arc<Self>,
        (gateway, id): Key,
        accepted: bool,
    ) -> Option<Tunnel> {
        let mut table = self.lock();
        if table.open.len() >= self.most {
            return None;
        }
        let Entry::Vacant(entry) = table.open.entry((gateway, id)) else {
            return None;
        };
        let (tell, told) = mpsc::channel(WAITING);
        entry.insert(Entrance {
            told: tell,
            heard: Instant::now(),
            stays: accepted,
        });
        table.peers.entry(gateway).or_default().tunnels += 1;
        drop(table);
        self.counters.tunnels.add();
        self.counters.tunnels_opened.add();
        Some(Tunnel {
            tunnels: Arc::clone(self),
            gateway,
            id,
            told,
            finished: false,
        })
    }

    /// Forgets a tunnel.
    pub(super) fn close(&self, key: Key) {
        let mut table = self.lock();
        if table.open.remove(&key).is_none() {
            return;
        }
        if let Entry::Occupied(mut peer) = table.peers.entry(key.0) {
            peer.get_mut().tunnels -= 1;
            if peer.get().tunnels == 0 {
                peer.remove();
            }
        }
    }

    /// Hands what was told to the tunnel's task; false where there is no such tunnel, or no
    /// longer.
    pub(in crate::peers) fn told(&self, key: Key, tell: Tell) -> bool {
        let told = self.lock().open.get_mut(&key).map(Entrance::hears);
        let Some(told) = told else { return false };
        let fits = told.try_send(Told::By(tell)).is_ok();
        if !fits {
            self.close(key);
        }
        fits
    }

    /// Another gateway said something: it lives.
    pub(in crate::peers) fn heard(&self, gateway: u32) {
        if let Some(peer) = self.lock().peers.get_mut(&gateway) {
            peer.watch.heard();
        }
    }

    /// Has the tunnels remind their other ends of which nothing was heard for long. Returns the
    /// gateways that are to be asked whether they live.
    pub(in crate::peers) fn watch(&self, now: Instant) -> Vec<u32> {
        let mut table = self.lock();
        let quiet = |entrance: &Entrance| now.duration_since(entrance.heard) >= QUIET;
        table.remind(now, |_, entrance| quiet(entrance));
        let peers = table.peers.iter_mut();
        let asked = peers.filter_map(|(gateway, peer)| peer.watch.asks().then_some(*gateway));
        asked.collect()
    }

    /// What became of the question whether a gateway lives.
    pub(in crate::peers) fn answered(
        &self,
        gateway: u32,
        answer: Result<(), Unreachable>,
        now: Instant,
    ) -> Verdict {
        let mut table = self.lock();
        let peer = table.peers.get_mut(&gateway);
        let verdict = peer.map_or(Verdict::Unknown, |peer| peer.watch.answered(answer, now));
        match verdict {
            Verdict::Returned => table.remind(now, |key, _| key.0 == gateway),
            Verdict::Gone => table.end(gateway),
            Verdict::Well | Verdict::Unknown => {}
        }
        verdict
    }

    /// Ends all tunnels with a gateway.
    pub(in crate::peers) fn end(&self, gateway: u32) {
        self.lock().end(gateway);
    }

    /// Up to `most` tunnels whose clients are to leave this gateway, each named once; and how many
    /// more there are.
    pub(in crate::peers) fn leave(&self, most: usize) -> (Vec<Key>, usize) {
        let mut table = self.lock();
        let mut stay = table.open.iter_mut().filter(|(_, entrance)| entrance.stays);
        let leaving = stay.by_ref().take(most).map(|(key, entrance)| {
            entrance.stays = false;
            *key
        });
        let leaving = leaving.collect();
        (leaving, stay.count())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // The table is whole between any two operations on it, so a poisoned lock is still usable.
        lock(&self.table)
    }
}

impl Table {
    fn remind(&mut self, now: Instant, which: impl Fn(&Key, &Entrance) -> bool) {
        for (_, entrance) in self.open.iter_mut().filter(|(key, e)| which(key, e)) {
            entrance.heard = now;
            // A task that is so far behind has something to answer anyway.
            let _ = entrance.told.try_send(Told::Remind);
        }
    }

    fn end(&mut self, gateway: u32) {
        // Their tasks notice that nothing can be told them any more.
        self.open.retain(|key, _| key.0 != gateway);
        self.peers.remove(&gateway);
    }
}

impl Entrance {
    fn hears(&mut self) -> mpsc::Sender<Told> {
        self.heard = Instant::now();
        self.told.clone()
    }
}
