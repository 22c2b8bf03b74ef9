//! All rooms, in shards that are locked one at a time.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use sluice_rooms::{Announcement, Page, Query, Replayed, RoomKey};
use sluice_util::lock;

use super::{
    room::Room,
    shard::{GROUPS, Shard},
};
use crate::Stats;

const SHARDS: usize = 64;

/// Rooms by key.
#[derive(Debug)]
pub(super) struct Rooms {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    ticks: AtomicU64,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            ticks: AtomicU64::new(0),
        }
    }
}

/// 64 random bits for the id of a message that was given none.
pub(super) fn random_id() -> u64 {
    RandomState::new().hash_one(0)
}

impl Rooms {
    /// The shard and, within it, the group that a room belongs to.
    fn place(&self, key: &RoomKey) -> (usize, usize) {
        let hash = self.hasher.hash_one(key) as usize;
        (hash % SHARDS, hash / SHARDS % GROUPS)
    }

    fn shard(&self, key: &RoomKey) -> (MutexGuard<'_, Shard>, usize) {
        let (shard, group) = self.place(key);
        (lock(&self.shards[shard]), group)
    }

    /// Uses a room, which comes to be if it is not there.
    pub(super) fn with<T>(&self, key: &RoomKey, f: impl FnOnce(&mut Room) -> T) -> T {
        let (mut shard, group) = self.shard(key);
        shard.with(key, group, f)
    }

    /// As [`Self::with`], for a change of members, which may have to be announced.
    pub(super) fn with_members<T>(&self, key: &RoomKey, f: impl FnOnce(&mut Room) -> T) -> T {
        let (mut shard, group) = self.shard(key);
        shard.changed.insert(key.clone());
        shard.with(key, group, f)
    }

    /// Uses a room, if it is there.
    pub(super) fn with_known(&self, key: &RoomKey, f: impl FnOnce(&mut Room)) {
        if let Some(room) = self.shard(key).0.rooms.get_mut(key) {
            f(room);
        }
    }

    /// As [`Self::with_known`], for a change of members, which may have to be announced.
    pub(super) fn with_known_members(&self, key: &RoomKey, f: impl FnOnce(&mut Room)) {
        let (mut shard, _) = self.shard(key);
        if let Some(room) = shard.rooms.get_mut(key) {
            f(room);
            shard.changed.insert(key.clone());
        }
    }

    /// Looks at a room, if it is there.
    pub(super) fn peek<T>(&self, key: &RoomKey, f: impl FnOnce(&Room) -> T) -> Option<T> {
        self.shard(key).0.rooms.get(key).map(f)
    }

    /// Every message of a room after `offset`, or that some of it is gone.
    pub(super) fn replay(&self, key: &RoomKey, offset: u64) -> Replayed {
        let (shard, group) = self.shard(key);
        shard.look(key, group, |room| room.replay(offset))
    }

    /// Messages of a room's history.
    pub(super) fn page(&self, key: &RoomKey, query: Query) -> Page {
        let (shard, group) = self.shard(key);
        shard.look(key, group, |room| room.page(query))
    }

    /// Announces what is due, to each worker that it goes to.
    pub(super) fn announce(&self, tell: impl Fn(&RoomKey, usize, Arc<Announcement>)) {
        for shard in &self.shards {
            lock(shard).announce(&tell);
        }
    }

    /// Drops what has expired, and rooms that nobody needs. Returns how many bytes that were.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        let swept = |shard: &Mutex<Shard>| lock(shard).sweep(now, |key| self.place(key).1);
        self.shards.iter().map(swept).sum()
    }

    pub(super) fn count_tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    /// What there is, with the rooms' sizes in buckets of these upper bounds.
    pub(super) fn stats(&self, bounds: &[u64]) -> Stats {
        let mut stats = Stats {
            sizes: vec![0; bounds.len() + 1],
            ..Stats::default()
        };
        for shard in &self.shards {
            for room in lock(shard).rooms.values() {
                let members = u64::from(room.presence().sessions());
                let bucket = bounds.partition_point(|bound| *bound < members);
                stats.sizes[bucket] += 1;
                stats.rooms += 1;
                stats.members += members;
                if let Some(history) = room.history() {
                    stats.messages += history.len() as u64;
                    stats.bytes += history.bytes() as u64;
                }
            }
        }
        stats
    }
}
