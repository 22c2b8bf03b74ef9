//! The tunnels of a gateway, by the gateway at the other end and their number.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sluice_codec::peer::Tell;
use tokio::{sync::mpsc, time::Instant};

use super::{super::Fleet, Tunnel, flow::PATIENCE};

/// The most frames that wait for one tunnel's task. With the window full of ordinary reads there
/// are fewer than a hundred; only an end that breaks the rules reaches this.
const WAITING: usize = 8_192;

type Key = (u32, u64);

/// What is known of the tunnels.
#[derive(Debug)]
pub(in crate::peers) struct Tunnels {
    most: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<Key, Entrance>,
    peers: HashMap<u32, Peer>,
}

#[derive(Debug)]
struct Entrance {
    told: mpsc::Sender<Tell>,
    /// Whether its client is connected to this gateway, and was not asked to leave.
    stays: bool,
}

#[derive(Debug)]
struct Peer {
    tunnels: usize,
    heard: Instant,
}

impl Tunnels {
    pub(in crate::peers) fn new(most: usize) -> Self {
        Self {
            most,
            table: Mutex::default(),
        }
    }

    /// A new tunnel with the gateway, unless there are too many, or one of this number.
    pub(in crate::peers) fn open(
        &self,
        fleet: &Arc<Fleet>,
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
            stays: accepted,
        });
        let heard = Instant::now();
        let peer = table.peers.entry(gateway);
        peer.or_insert(Peer { tunnels: 0, heard }).tunnels += 1;
        drop(table);
        fleet.counters.tunnels.add();
        fleet.counters.tunnels_opened.add();
        Some(Tunnel {
            fleet: Arc::clone(fleet),
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
        let told = self.lock().open.get(&key).map(|entry| entry.told.clone());
        let Some(told) = told else { return false };
        let fits = told.try_send(tell).is_ok();
        if !fits {
            self.close(key);
        }
        fits
    }

    /// The gateway lives.
    pub(in crate::peers) fn heard(&self, gateway: u32) {
        if let Some(peer) = self.lock().peers.get_mut(&gateway) {
            peer.heard = Instant::now();
        }
    }

    /// Ends the tunnels with gateways that fell silent; returns the others.
    pub(in crate::peers) fn watch(&self, now: Instant) -> Vec<u32> {
        let mut table = self.lock();
        let Table { open, peers } = &mut *table;
        peers.retain(|_, peer| now.duration_since(peer.heard) <= PATIENCE);
        // Their tasks notice that nothing can be told them any more.
        open.retain(|(gateway, _), _| peers.contains_key(gateway));
        peers.keys().copied().collect()
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
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
