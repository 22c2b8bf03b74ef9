//! All rooms, in shards that are locked one at a time.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use rustc_hash::{FxHashMap, FxHashSet};
use sluice_rooms::{Announcement, RoomKey};

use super::room::Room;

const SHARDS: usize = 64;

#[derive(Debug, Default)]
struct Shard {
    rooms: FxHashMap<RoomKey, Room>,
    /// Rooms whose members changed since the last announcement.
    changed: FxHashSet<RoomKey>,
}

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

/// 64 random bits for the id of a message that is not kept.
pub(super) fn random_id() -> u64 {
    RandomState::new().hash_one(0)
}

impl Rooms {
    fn shard(&self, key: &RoomKey) -> MutexGuard<'_, Shard> {
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses a room, which comes to be if it is not there.
    pub(super) fn with<T>(&self, key: &RoomKey, f: impl FnOnce(&mut Room) -> T) -> T {
        let mut shard = self.shard(key);
        match shard.rooms.get_mut(key) {
            Some(room) => f(room),
            None => f(shard.rooms.entry(key.clone()).or_insert_with(Room::new)),
        }
    }

    /// As [`Self::with`], for a change of members, which may have to be announced.
    pub(super) fn with_members<T>(&self, key: &RoomKey, f: impl FnOnce(&mut Room) -> T) -> T {
        let result = self.with(key, f);
        self.shard(key).changed.insert(key.clone());
        result
    }

    /// Changes a room's members, if it is there.
    pub(super) fn change(&self, key: &RoomKey, f: impl FnOnce(&mut Room)) {
        let mut shard = self.shard(key);
        if let Some(room) = shard.rooms.get_mut(key) {
            f(room);
            shard.changed.insert(key.clone());
        }
    }

    /// Looks at a room, if it is there.
    pub(super) fn peek<T>(&self, key: &RoomKey, f: impl FnOnce(&Room) -> T) -> Option<T> {
        self.shard(key).rooms.get(key).map(f)
    }

    /// Takes what is to be announced, with the workers it goes to.
    pub(super) fn announcements(&self) -> Vec<(RoomKey, Vec<usize>, Announcement)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for key in std::mem::take(&mut shard.changed) {
                let Some(room) = shard.rooms.get_mut(&key) else { continue };
                if let Some(news) = room.announce() {
                    all.push((key, room.workers().collect(), news));
                }
            }
        }
        all
    }

    /// Drops what has expired, and rooms that nobody needs. `forgotten` gets the last offset of
    /// each dropped room while nobody can make the room anew.
    pub(super) fn sweep(&self, now: Instant, forgotten: impl Fn(u64)) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.rooms.retain(|_, room| match room.sweep(now) {
                Some(last) => {
                    forgotten(last);
                    false
                }
                None => true,
            });
        }
    }

    pub(super) fn count_tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    /// What there is, with the rooms' sizes in buckets of these upper bounds.
    pub(super) fn stats(&self, bounds: &[u64]) -> Stats {
        let mut stats = Stats { sizes: vec![0; bounds.len() + 1], ..Stats::default() };
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for room in shard.rooms.values() {
                let members = u64::from(room.presence().sessions());
                let bucket = bounds.partition_point(|bound| *bound < members);
                stats.sizes[bucket] += 1;
                stats.rooms += 1;
                stats.members += members;
                if let Some(history) = room.known_history() {
                    stats.messages += history.len() as u64;
                    stats.bytes += history.bytes() as u64;
                }
            }
        }
        stats
    }
}

/// What a memory backbone holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms with members or messages.
    pub rooms: u64,
    /// Members of all rooms.
    pub members: u64,
    /// How many rooms have a size within each bucket; the last one is for all beyond.
    pub sizes: Vec<u64>,
    /// Messages in histories.
    pub messages: u64,
    /// The memory that they hold, in bytes, roughly.
    pub bytes: u64,
}
