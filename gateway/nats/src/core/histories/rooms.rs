//! The rooms that this gateway follows, and the order in which their messages are delivered.
//!
//! Each room's messages are delivered in the order of their offsets, with nothing left out that
//! the stream still has. While all rooms catch up, what arrives is held back.

mod gap_repair;
mod late;
mod progress;
mod turns;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::BackboneEvent;
use sluice_rooms::{Epoch, Message, Position, Reading, RoomKey};

use self::{progress::Progress, turns::Turns};
use super::{
    Io,
    room::{Arrival, Phase, Repair, Room, Step},
    stream::{Limits, Stream},
};
use crate::{
    core::{HistoryCounters, seeded::Seeded},
    names::{self, Place},
};

/// How long a room stays followed that no worker needs: its members may be about to come back.
const LINGER: Duration = Duration::from_secs(30);

/// How often rooms are looked through for what nobody needs any more.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The most messages that are held back meanwhile. What is dropped is missed afterwards, and read.
const HELD: usize = 65_536;

/// The rooms, by where they are among the subjects.
type ByPlace = HashMap<Place, Box<Room>, Seeded>;

/// The rooms with history that this gateway follows, or is about to.
pub(super) struct Rooms {
    stream: Stream,
    by_place: ByPlace,
    progress: Progress,
    turns: Turns,
    /// What arrived while others were still to be read; none while nothing is held back.
    held: Option<VecDeque<(Place, Arrival)>>,
    /// When they are looked through next.
    sweep: Option<Instant>,
    pub(super) counters: HistoryCounters,
}

impl Rooms {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            stream: Stream::default(),
            by_place: HashMap::with_hasher(Seeded::new(seed)),
            progress: Progress::default(),
            turns: Turns::default(),
            held: Some(VecDeque::new()),
            sweep: None,
            counters: HistoryCounters::default(),
        }
    }

    /// What is known of their stream.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// No message with a greater offset was delivered.
    pub(super) fn watermark(&self) -> u64 {
        self.progress.watermark()
    }

    /// Whether what arrives is delivered at once: nothing is held back.
    pub(super) fn is_live(&self) -> bool {
        self.held.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// Where those are that are followed, and of which nothing is known to be missing.
    pub(super) fn even(&self) -> Vec<Place> {
        let rooms = self.by_place.values();
        let even = rooms.filter(|room| matches!(room.phase, Phase::Following));
        let mut places: Vec<_> = even.map(|room| Arc::clone(&room.place)).collect();
        places.sort_unstable();
        places
    }

    /// How many are not followed yet.
    pub(super) fn joining(&self) -> usize {
        self.by_place.values().filter(|r| !r.is_followed()).count()
    }

    /// How many recent messages are held, and roughly their bytes.
    pub(super) fn recent(&self) -> (u64, u64) {
        self.by_place.values().fold((0, 0), |(count, bytes), room| {
            let (more, size) = (room.recent.len() as u64, room.recent_bytes() as u64);
            (count + more, bytes + size)
        })
    }

    pub(super) fn get(&self, place: &str) -> Option<&Room> {
        self.by_place.get(place).map(|room| &**room)
    }

    pub(super) fn get_mut(&mut self, place: &str) -> Option<&mut Room> {
        self.by_place.get_mut(place).map(|room| &mut **room)
    }

    /// The room at a place, if it is one of these.
    pub(super) fn known(&self, place: &str) -> Option<(Place, RoomKey)> {
        let room = self.by_place.get(place)?;
        Some((Arc::clone(&room.place), room.key.clone()))
    }

    /// Subscribes to a room.
    pub(super) fn insert(&mut self, io: &mut Io<'_>, room: Room) {
        io.subscribe(io.names.republished(&room.place));
        self.by_place
            .insert(Arc::clone(&room.place), Box::new(room));
    }

    /// Gives a room up.
    pub(super) fn remove(&mut self, io: &mut Io<'_>, place: &Place) -> Option<Box<Room>> {
        let room = self.by_place.remove(place)?;
        io.unsubscribe(io.names.republished(place));
        Some(room)
    }

    /// A worker has no member in a room any more.
    pub(super) fn leave(&mut self, now: Instant, worker: usize, key: &RoomKey) {
        if let Some(room) = self.by_place.get_mut(&names::place(key)) {
            room.workers.remove(worker);
            if room.workers.is_empty() {
                room.idle_since = Some(now);
            }
        }
    }

    /// What the stream keeps now.
    pub(super) fn see_limits(&mut self, limits: Limits) {
        self.stream.limits = limits;
    }

    /// The messages of a room are kept for so long.
    pub(super) fn keep(&mut self, key: &RoomKey, max_age: Duration) {
        if let Some(room) = self.by_place.get_mut(&names::place(key)) {
            room.keep(max_age);
        }
    }

    /// The stream's history is this one, and `last` its last message. Where it was another one, all
    /// rooms begin anew.
    pub(super) fn see(&mut self, io: &Io<'_>, epoch: Epoch, last: u64) {
        let first = self.stream.epoch.replace(epoch).is_none();
        self.progress.begin_anew(last);
        if !first {
            self.begin_anew(io, last);
        }
    }

    /// The newest of the recent messages of all rooms.
    pub(super) fn newest(&self) -> Option<&Arc<Message>> {
        let last = self.by_place.values().filter_map(|room| room.recent.back());
        last.max_by_key(|message| message.offset())
    }

    fn begin_anew(&mut self, io: &Io<'_>, last: u64) {
        tracing::warn!(
            "the history of the rooms began anew: the stream was made anew, or its store put back; members come back and are told, and sessions cannot recover what was before"
        );
        let mut parted: Vec<_> = self.by_place.values_mut().collect();
        parted.retain(|room| room.is_followed());
        parted.sort_unstable_by(|a, b| a.place.cmp(&b.place));
        for room in parted {
            room.follow(last);
            // Their offsets are those of the old one, so what comes now would be passed over.
            for worker in room.workers.iter() {
                io.workers
                    .deliver(worker, BackboneEvent::Lost(room.key.clone()));
            }
        }
        for worker in 0..io.workers.count() {
            io.workers.deliver(worker, BackboneEvent::StoreAll);
        }
    }

    /// Holds everything back: what comes now may not be what comes next.
    pub(super) fn hold_back(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Forgets what is held back: more of it may be lost than what arrives shows.
    pub(super) fn forget_held(&mut self) {
        self.held = Some(VecDeque::new());
    }

    /// Delivers what was held back, and from now on what arrives.
    pub(super) fn go_live(&mut self, io: &mut Io<'_>) {
        for (place, arrival) in self.held.take().unwrap_or_default() {
            self.arrive(io, &place, arrival);
        }
    }

    /// A message of one of these rooms has arrived.
    pub(super) fn take(&mut self, io: &mut Io<'_>, place: &Place, arrival: Arrival) {
        match &mut self.held {
            None => self.arrive(io, place, arrival),
            Some(held) if held.len() < HELD => held.push_back((Arc::clone(place), arrival)),
            Some(_) => {}
        }
    }

    fn arrive(&mut self, io: &mut Io<'_>, place: &Place, arrival: Arrival) {
        let Some(room) = self.by_place.get_mut(place) else {
            return;
        };
        match &mut room.phase {
            Phase::Joining { early, .. } => early.push(arrival),
            Phase::Repairing(repair) => repair.hold(arrival),
            Phase::Following => match room.step(arrival) {
                Step::Repeated => self.counters.repeated += 1,
                Step::Next(arrival) => self.deliver(io, place, arrival),
                Step::Gap(through, arrival) => {
                    self.repair(io, place, Repair::new(through, Some(arrival)));
                }
            },
        }
    }

    /// Hands the room's next message to the workers that have members there.
    fn deliver(&mut self, io: &Io<'_>, place: &Place, arrival: Arrival) {
        let (Some(epoch), Some(room)) = (self.stream.epoch, self.by_place.get_mut(place)) else {
            return;
        };
        let Arrival {
            mut message,
            offset,
            ..
        } = arrival;
        let before = std::mem::replace(&mut room.head, offset);
        if offset < self.progress.watermark() {
            self.counters.late += 1;
            self.progress.trail(io.now, place, before);
        } else {
            self.progress.advance(offset);
        }
        let position = Position { epoch, offset };
        message.position = Some(position);
        self.note_reading(&mut message, position);
        self.hand_over(io, place, &Arc::new(message));
    }

    fn hand_over(&mut self, io: &Io<'_>, place: &Place, message: &Arc<Message>) {
        if let Some(room) = self.by_place.get_mut(place) {
            self.counters.delivered += 1;
            room.delivered(message);
            for worker in room.workers.iter() {
                io.workers
                    .deliver(worker, BackboneEvent::Room(Arc::clone(message)));
            }
        }
    }

    /// Notes on a message how far its readers are with it.
    fn note_reading(&self, message: &mut Message, position: Position) {
        let offset = self.watermark();
        let reading = self.reading(Position { offset, ..position });
        if reading.position() != position || !reading.is_even() {
            message.read = Some(Arc::new(reading));
        }
    }

    /// How far the members are who have got all that was delivered: everything up to `offset`,
    /// except in the rooms that are behind.
    pub(super) fn reading(&self, position: Position) -> Reading {
        self.progress.reading(&self.by_place, position)
    }

    /// Everything up to here is delivered, except in rooms that are behind.
    pub(super) fn advance(&mut self, offset: u64) {
        self.progress.advance(offset);
    }

    /// Whether a message is known to be missing that comes next in the room.
    pub(super) fn is_behind(&self, place: &Place) -> bool {
        self.progress.is_behind(place)
    }

    /// Up to where a reading may be from before a message of the room came.
    pub(super) fn late_up_to(&self, place: &Place) -> u64 {
        self.progress.late_up_to(place)
    }

    /// As [`Backbone::read_up_to`](sluice_backbone::Backbone::read_up_to).
    pub(super) fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        for (key, from) in rooms {
            let said = read.named(key);
            let read = said.unwrap_or_else(|| self.read_in(&names::place(key), read));
            *from = read.max(*from);
        }
    }

    /// How far a member has read a room that its reading does not name.
    fn read_in(&self, place: &Place, reading: &Reading) -> u64 {
        let position = reading.position();
        if Some(position.epoch) != self.stream.epoch {
            return position.offset;
        }
        self.progress.read_in(self.get(place), place, reading)
    }

    /// Drops what is not recent any more, and rooms that nobody has needed for a while.
    pub(super) fn sweep_if_due(&mut self, io: &mut Io<'_>) {
        if self.sweep.is_some_and(|at| at > io.now) {
            return;
        }
        self.sweep = Some(io.now + SWEEP_EVERY);
        self.progress.forget_late(io.now);
        let idle = |room: &Room| {
            room.idle_since
                .is_some_and(|since| io.now.duration_since(since) > LINGER)
        };
        let mut gone = Vec::new();
        for (place, room) in &mut self.by_place {
            room.age(io.now);
            if idle(room) && room.workers.is_empty() && room.is_followed() {
                gone.push(Arc::clone(place));
            }
        }
        gone.sort_unstable();
        for place in gone {
            self.remove(io, &place);
        }
    }
}
