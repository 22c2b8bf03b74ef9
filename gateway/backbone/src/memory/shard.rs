//! Some of the rooms, behind one lock.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use sluice_rooms::{Announcement, RoomKey};

use super::room::Room;

/// How many groups the forgotten rooms of a shard are remembered in.
pub(super) const GROUPS: usize = 64;

/// Rooms by key. Clients choose the names of rooms, so they are hashed with a secret.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) rooms: HashMap<RoomKey, Room>,
    /// Rooms whose members changed since the last announcement.
    pub(super) changed: HashSet<RoomKey>,
    /// For each group, the greatest offset of the messages that went with its forgotten rooms.
    ///
    /// One for each room would be exact, and would have to be kept for ever. One for all rooms
    /// would call messages gone that a quiet room never had.
    floors: [u64; GROUPS],
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            rooms: HashMap::default(),
            changed: HashSet::default(),
            floors: [0; GROUPS],
        }
    }
}

impl Shard {
    /// Uses a room, which comes to be if it is not there.
    pub(super) fn with<T>(
        &mut self,
        key: &RoomKey,
        group: usize,
        f: impl FnOnce(&mut Room) -> T,
    ) -> T {
        match self.rooms.get_mut(key) {
            Some(room) => f(room),
            None => f(self
                .rooms
                .entry(key.clone())
                .or_insert(Room::new(self.floors[group]))),
        }
    }

    /// Looks at a room, or at what one would be that comes to be now.
    pub(super) fn look<T>(&self, key: &RoomKey, group: usize, f: impl FnOnce(&Room) -> T) -> T {
        match self.rooms.get(key) {
            Some(room) => f(room),
            None => f(&Room::new(self.floors[group])),
        }
    }

    /// Announces what is due, to each worker that it goes to.
    pub(super) fn announce(&mut self, tell: impl Fn(&RoomKey, usize, Arc<Announcement>)) {
        for key in std::mem::take(&mut self.changed) {
            let Some(room) = self.rooms.get_mut(&key) else {
                continue;
            };
            if let Some(news) = room.announce() {
                let news = Arc::new(news);
                for worker in room.workers() {
                    tell(&key, worker, Arc::clone(&news));
                }
            }
        }
    }

    /// Drops what has expired, and rooms that nobody needs. Returns how many bytes that were.
    pub(super) fn sweep(&mut self, now: Instant, group: impl Fn(&RoomKey) -> usize) -> usize {
        let (floors, mut freed) = (&mut self.floors, 0);
        self.rooms.retain(|key, room| {
            let before = room.bytes();
            let forgotten = room.sweep(now);
            freed += before - room.bytes();
            if let Some(forgotten) = forgotten {
                let floor = &mut floors[group(key)];
                *floor = forgotten.max(*floor);
            }
            forgotten.is_none()
        });
        freed
    }
}
