//! Who is in which room, over all gateways: `<prefix>.pres.<room>`.
//!
//! A gateway listens to a room while it has members there, and says who its own are: everything
//! once, then what changes, each with a version and the one before it. Whoever notices that
//! something is missing asks for everything again; versions are repeated in turn, so that what
//! was lost last is noticed, too.

mod asking;
mod hearing;
mod peer;
mod room;
mod telling;
mod ticking;
mod update;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{BackboneEvent, Error, Reply, Stats};
use sluice_rooms::{Announcement, RoomKey, RoomSettings};

use self::{asking::Inquiries, room::Room, telling::Clock};
use super::{fleet::Fleet, io::Io, seeded::Seeded};
use crate::names;

/// The rooms with members here. Clients choose the names of rooms, so they are hashed with a
/// secret.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    rooms: HashMap<RoomKey, Room, Seeded>,
    clock: Clock,
    /// Rooms with something to tell or to announce.
    changed: Vec<RoomKey>,
    /// Rooms that the others are to hear of again.
    waiting: VecDeque<RoomKey>,
    /// Users who leave later.
    lingering: BTreeMap<(Instant, u64), (RoomKey, Arc<str>)>,
    lingered: u64,
    /// Rooms whose versions are still to be repeated in this round.
    round: Vec<RoomKey>,
    next: Option<Instant>,
    inquiries: Inquiries,
    garbage: u64,
    newer: u64,
}

impl Presence {
    /// Nobody is there yet; `seed` is the secret.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rooms: HashMap::with_hasher(Seeded::new(seed)),
            ..Self::default()
        }
    }

    /// A session of `user` comes into a room. Where the room is bounded and new to this gateway,
    /// the others are asked how many they have. Two gateways that let a session in within the
    /// same tick do not know of each other: the bound may be exceeded by what they let in then.
    pub(crate) fn join(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        key: &RoomKey,
        user: &Arc<str>,
        settings: &RoomSettings,
    ) -> Reply<()> {
        let room = self.rooms.get(key);
        let known = room.is_some_and(|room| room.is_settled(io.now));
        let others = io.connected && fleet.is_anybody_heard(io.now);
        if settings.members.is_some() && !known && others {
            return self.ask_to_join(io, fleet, key, user, settings);
        }
        Reply::Now(self.enter_if_free(io, key, user, settings, 0))
    }

    /// Lets a session in, unless the room is full; `others` is how many sessions there are
    /// elsewhere, as far as that is known better than from what was said here.
    fn enter_if_free(
        &mut self,
        io: &mut Io<'_>,
        key: &RoomKey,
        user: &Arc<str>,
        settings: &RoomSettings,
        others: u64,
    ) -> Result<(), Error> {
        let room = self.rooms.get(key);
        let known = room.map_or(0, Room::sessions);
        let asked = room.map_or(0, |room| u64::from(room.local.sessions())) + others;
        let most = settings.members.map_or(u64::MAX, u64::from);
        if known.max(asked) >= most {
            return Err(Error::RoomFull);
        }
        self.enter(io, key, user, settings);
        Ok(())
    }

    fn enter(&mut self, io: &mut Io<'_>, key: &RoomKey, user: &Arc<str>, settings: &RoomSettings) {
        let new = || Room::new(names::place(key));
        let room = self.rooms.entry(key.clone()).or_insert_with(new);
        room.enter(user);
        self.apply(io, key, settings);
        self.touch(key);
    }

    /// A room has these settings from now on. Once the fleet has heard of its members it goes on
    /// hearing of them as long as there are any here.
    pub(crate) fn apply(&mut self, io: &mut Io<'_>, key: &RoomKey, settings: &RoomSettings) {
        // At once: what others say in answer to a later question must not be newer than what
        // they say in answer to this.
        if let Some(room) = self.rooms.get_mut(key)
            && room.apply(settings)
            && io.connected
        {
            room.introduce(io, &mut self.clock);
        }
    }

    /// A session of `user` goes.
    pub(crate) fn leave(&mut self, key: &RoomKey, user: &Arc<str>) {
        if let Some(room) = self.rooms.get_mut(key)
            && room.exit(user)
        {
            self.touch(key);
        }
    }

    /// A session of `user` goes from these rooms after a while: it has moved to another gateway,
    /// and is not to be seen leaving before it is seen there.
    pub(crate) fn linger(
        &mut self,
        io: &Io<'_>,
        rooms: &[RoomKey],
        user: &Arc<str>,
        after: Duration,
    ) {
        for key in rooms {
            self.lingered += 1;
            let at = (io.now + after, self.lingered);
            self.lingering.insert(at, (key.clone(), Arc::clone(user)));
        }
    }

    /// Has the room looked at with the next tick.
    fn touch(&mut self, key: &RoomKey) {
        if let Some(room) = self.rooms.get_mut(key)
            && !std::mem::replace(&mut room.changed, true)
        {
            self.changed.push(key.clone());
        }
    }

    /// A gateway is gone, and with it its members.
    pub(crate) fn gone(&mut self, gateway: u32) {
        let had = |(key, room): (&RoomKey, &mut Room)| room.remove(gateway).then(|| key.clone());
        let rooms: Vec<_> = self.rooms.iter_mut().filter_map(had).collect();
        for key in &rooms {
            self.touch(key);
        }
    }

    /// Rooms with members here and those members, and the sizes of those rooms over all gateways,
    /// in buckets of these upper bounds.
    pub(crate) fn stats(&self, bounds: &[u64]) -> Stats {
        let mut stats = Stats {
            sizes: vec![0; bounds.len() + 1],
            ..Stats::default()
        };
        for room in self.rooms.values() {
            let sessions = room.sessions();
            stats.sizes[bounds.partition_point(|bound| *bound < sessions)] += 1;
            stats.rooms += 1;
            stats.members += u64::from(room.local.sessions());
        }
        stats
    }

    /// How many messages were of kinds that a newer version has.
    pub(crate) fn newer(&self) -> u64 {
        self.newer
    }

    /// How many messages could not be understood.
    pub(crate) fn garbage(&self) -> u64 {
        self.garbage
    }
}

/// Tells the members here who came and went.
fn announce(io: &Io<'_>, key: &RoomKey, news: Announcement) {
    let news = Arc::new(news);
    for worker in 0..io.workers.count() {
        let event = BackboneEvent::Presence(key.clone(), Arc::clone(&news));
        io.workers.deliver(worker, event);
    }
}
