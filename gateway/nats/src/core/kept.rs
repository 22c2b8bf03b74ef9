//! Rooms with history: one JetStream stream for all of them.
//!
//! A message is stored under `<prefix>.in.<room>`; the stream's leader republishes it under
//! `<prefix>.out.<room>` with its sequence number, which is its offset, and with that of the
//! room's message before it. A gateway subscribes to the rooms it has members in, so it gets no
//! others, and sees by those two numbers whether any are missing. What is missing is read from
//! the stream before anything after it is delivered. There are no consumers.

mod audit;
mod barrier;
mod behind;
mod history;
mod late;
mod missed;
mod proving;
mod publishing;
mod reading;
mod repair;
mod resync;
mod room;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{BackboneEvent, Error, Joined, Reply};
use sluice_rooms::{Epoch, Message, Position, RoomKey};
use tokio::sync::oneshot;

pub(crate) use self::publishing::message;
use self::{
    audit::Audit,
    barrier::Barrier,
    history::Reads,
    late::Late,
    missed::Missing,
    proving::Proving,
    publishing::Publishing,
    reading::Stream,
    resync::Standing,
    room::{Arrival, Phase, Repair, Room, Step},
};
use super::{Purpose, io::Io, seeded::Seeded};
use crate::{
    Packet, envelope,
    names::{self, Place},
};

/// How long a room stays followed that no worker needs: its members may be about to come back.
const LINGER: Duration = Duration::from_secs(30);

/// How long the stream may be out of sight before it counts as taking no messages.
const STORES: Duration = Duration::from_secs(5);

/// What a question is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// From where on messages come for sure.
    Barrier,
    /// How far the stream is, after the link was lost.
    Info,
    /// What all rooms missed meanwhile.
    Scan,
    /// What follows the last message that was delivered in one room.
    Prove(Place),
    /// What one room misses.
    Repair(Place),
    /// Whether that is still there.
    RepairCheck(Place),
    /// The acknowledgement of a message.
    Publish(u64),
    /// A part of what a session missed: the number of the wish, and the place of the room in it.
    Missed(u64, usize, missed::Part),
    /// A page of a history.
    History(u64),
    /// The message after which that page begins.
    Reach(u64),
    /// The last messages of some rooms.
    Audit,
}

/// What happened to messages of rooms with history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptCounters {
    /// Messages that this gateway has stored.
    pub published: u64,
    /// Sent to the stream again, because no answer came.
    pub retried: u64,
    /// Messages that were given to workers.
    pub delivered: u64,
    /// Of them, read from the stream because they had not come.
    pub repaired: u64,
    /// Of them, delivered after messages with greater offsets of other rooms.
    pub late: u64,
    /// Messages that were not delivered because they had been before.
    pub repeated: u64,
    /// Not to be had any more when they were found to be missing.
    pub lost: u64,
    /// Messages that could not be read.
    pub malformed: u64,
}

/// How much waits, and for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Questions whose answer has not come.
    pub questions: usize,
    /// Sessions on their way into the store.
    pub storing: usize,
    /// Sessions that are being taken over.
    pub claims: usize,
    /// Messages on their way into the stream.
    pub publications: usize,
    /// Rooms that are not followed yet.
    pub joining: usize,
    /// Rooms that miss something.
    pub repairing: usize,
    /// Sessions that wait for what they missed.
    pub missing: usize,
    /// Whether all rooms are held back.
    pub apart: bool,
}

/// All rooms with history.
pub(crate) struct Kept {
    stream: Stream,
    /// The history's identity; none until the stream was seen.
    epoch: Option<Epoch>,
    /// When the stream was last known to be followed.
    live: Option<Instant>,
    /// No message with a greater offset was delivered.
    watermark: u64,
    rooms: HashMap<Place, Box<Room>, Seeded>,
    standing: Standing,
    /// What arrived while others were still to be read.
    held: VecDeque<(Place, Arrival)>,
    proving: Proving,
    barrier: Barrier,
    /// Rooms that miss something.
    repairing: BTreeSet<Place>,
    /// Rooms whose last message came late, since when nothing greater was delivered.
    trailing: Vec<Place>,
    late: Late,
    publishing: Publishing,
    missing: Missing,
    reads: Reads,
    audit: Audit,
    pub(crate) counters: KeptCounters,
}

impl Kept {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            stream: Stream::default(),
            epoch: None,
            live: None,
            watermark: 0,
            rooms: HashMap::with_hasher(Seeded::new(seed)),
            standing: Standing::default(),
            held: VecDeque::new(),
            proving: Proving::default(),
            barrier: Barrier::default(),
            repairing: BTreeSet::new(),
            trailing: Vec::new(),
            late: Late::default(),
            publishing: Publishing::default(),
            missing: Missing::default(),
            reads: Reads::default(),
            audit: Audit::default(),
            counters: KeptCounters::default(),
        }
    }

    /// The history's identity, once the stream was seen.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Whether the stream takes messages: it was followed a moment ago. A leader that changes is no
    /// reason to say otherwise.
    pub(crate) fn stores(&self, now: Instant) -> bool {
        let recent = |at: Instant| now.saturating_duration_since(at) < STORES;
        self.live.is_some_and(recent)
    }

    pub(crate) fn watermark(&self) -> u64 {
        self.watermark
    }

    /// What waits for something here.
    pub(crate) fn unsettled(&self) -> Unsettled {
        Unsettled {
            publications: self.unstored(),
            joining: self.rooms.values().filter(|r| !r.is_followed()).count(),
            repairing: self.repairing.len(),
            missing: self.missing.len(),
            apart: !self.standing.is_live(),
            ..Unsettled::default()
        }
    }

    /// How many rooms are followed.
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// How many recent messages are held, and roughly their bytes.
    pub(crate) fn recent(&self) -> (u64, u64) {
        self.rooms.values().fold((0, 0), |(count, bytes), room| {
            let (more, size) = (room.recent.len() as u64, room.recent_bytes() as u64);
            (count + more, bytes + size)
        })
    }

    /// A worker has a member in a room from now on.
    pub(crate) fn subscribe(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        key: &RoomKey,
    ) -> Reply<Joined> {
        let place = names::place(key);
        let now = io.now;
        if !self.rooms.contains_key(&place) {
            io.subscribe(io.names.subject("out", &place));
            let room = Room::new(key.clone(), Arc::clone(&place), now);
            self.rooms.insert(Arc::clone(&place), Box::new(room));
            self.barrier.want(Arc::clone(&place));
        }
        let Some(room) = self.rooms.get_mut(&place) else {
            return Reply::Now(Err(Error::Unavailable));
        };
        room.idle_since = None;
        if let Phase::Joining { waiting, .. } = &mut room.phase {
            let (tell, told) = oneshot::channel();
            waiting.push((worker, tell));
            self.pass_barrier(io);
            return later(told);
        }
        room.workers.insert(worker);
        let offset = self.watermark.max(room.floor);
        Reply::Now(self.epoch.map_or(Err(Error::Unavailable), |epoch| {
            Ok(Joined { epoch, offset })
        }))
    }

    /// A worker has no member in a room any more.
    pub(crate) fn unsubscribe(&mut self, io: &Io<'_>, worker: usize, key: &RoomKey) {
        if let Some(room) = self.rooms.get_mut(&names::place(key)) {
            room.workers.remove(worker);
            if room.workers.is_empty() {
                room.idle_since = Some(io.now);
            }
        }
    }

    /// The stream's leader has passed on a message.
    pub(crate) fn message(&mut self, io: &mut Io<'_>, place: &str, packet: &Packet) {
        let Some((place, key)) = self.known(place) else {
            return;
        };
        let Some(arrival) = self.read(io, key, packet) else {
            self.counters.malformed += 1;
            return;
        };
        if self.standing.is_live() {
            self.arrive(io, &place, arrival);
        } else {
            self.hold(place, arrival);
        }
    }

    fn known(&self, place: &str) -> Option<(Place, RoomKey)> {
        let room = self.rooms.get(place)?;
        Some((Arc::clone(&room.place), room.key.clone()))
    }

    fn read(&mut self, io: &Io<'_>, key: RoomKey, packet: &Packet) -> Option<Arrival> {
        let offset = packet.headers.number("Nats-Sequence")?;
        let previous = packet.headers.number("Nats-Last-Sequence")?;
        let envelope = envelope::decode(key, &packet.payload, io.now)?;
        if envelope.gateway != io.gateway {
            self.publishing.count_foreign(io, &envelope.message);
        }
        Some(Arrival {
            message: envelope.message,
            offset,
            previous,
        })
    }

    /// A message of a followed room, while nothing of all rooms is held back.
    fn arrive(&mut self, io: &mut Io<'_>, place: &Place, arrival: Arrival) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        match &mut room.phase {
            Phase::Joining { early, .. } => early.push(arrival),
            Phase::Repairing(repair) => repair.hold(arrival),
            Phase::Following => match room.step(arrival) {
                Step::Repeated => self.counters.repeated += 1,
                Step::Next(arrival) => self.deliver(io, place, arrival),
                Step::Gap(through, arrival) => {
                    room.phase = Phase::Repairing(Repair::new(through, Some(arrival)));
                    self.repairing.insert(Arc::clone(place));
                    self.read_missing(io, place);
                }
            },
        }
    }

    /// Hands the room's next message to the workers that have members there.
    fn deliver(&mut self, io: &Io<'_>, place: &Place, arrival: Arrival) {
        let (Some(epoch), Some(room)) = (self.epoch, self.rooms.get_mut(place)) else {
            return;
        };
        let Arrival {
            mut message,
            offset,
            ..
        } = arrival;
        let before = std::mem::replace(&mut room.head, offset);
        if offset < self.watermark {
            self.counters.late += 1;
            self.trail(io, place, before);
        } else {
            self.advance(offset);
        }
        let position = Position { epoch, offset };
        message.position = Some(position);
        self.note_reading(&mut message, position);
        self.hand_over(io, place, &Arc::new(message));
    }

    fn hand_over(&mut self, io: &Io<'_>, place: &Place, message: &Arc<Message>) {
        if let Some(room) = self.rooms.get_mut(place) {
            self.counters.delivered += 1;
            room.delivered(message);
            deliver_to(io, room, message);
        }
    }

    /// Everything up to here is delivered, except in rooms that are behind.
    fn advance(&mut self, offset: u64) {
        if self.watermark < offset {
            self.watermark = offset;
            self.trailing.clear();
        }
    }

    /// What comes after `before` in a room comes late, or not at all. It is named on until
    /// something greater is delivered: so who was gone by then can be told from who was not.
    fn trail(&mut self, io: &Io<'_>, place: &Place, before: u64) {
        self.late.note(io.now, place, before, self.watermark);
        if !self.trailing.contains(place) {
            self.trailing.push(Arc::clone(place));
        }
    }

    pub(crate) fn disconnected(&mut self, io: &Io<'_>) {
        self.stand_apart();
        self.barrier.forget();
        for place in self.repairing.clone() {
            self.repair_later(io, &place);
        }
    }

    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, ask: &Ask, packet: &Packet) {
        match ask {
            Ask::Barrier => self.barrier_passed(io, request, packet),
            Ask::Info => self.informed(io, request, packet),
            Ask::Scan => self.scanned(io, request, packet),
            Ask::Prove(place) => self.proved(io, request, place, packet),
            Ask::Repair(place) => self.repaired(io, request, place, packet),
            Ask::RepairCheck(place) => self.repair_checked(io, request, place, packet),
            Ask::Publish(id) => self.acknowledged(io, request, *id, packet),
            Ask::Missed(id, at, part) => self.missed_part(io, request, (*id, *at, *part), packet),
            Ask::History(id) => self.history_part(io, request, *id, packet),
            Ask::Reach(id) => self.reached_back(io, request, *id, packet),
            Ask::Audit => self.audited(io, request, packet),
        }
    }

    pub(crate) fn unanswered(&mut self, io: &mut Io<'_>, ask: &Ask) {
        match ask {
            Ask::Barrier => self.barrier.forget(),
            Ask::Info | Ask::Scan => self.resync_later(io),
            Ask::Prove(place) => self.prove_later(io, place),
            Ask::Repair(place) | Ask::RepairCheck(place) => self.repair_later(io, place),
            Ask::Publish(id) => self.publishing.unanswered(io, *id),
            Ask::Missed(id, at, part) => self.missed_later(io, *id, *at, *part),
            Ask::History(id) | Ask::Reach(id) => self.reads.fail(*id),
            Ask::Audit => {}
        }
    }

    pub(crate) fn tick(&mut self, io: &mut Io<'_>) {
        self.pass_barrier(io);
        self.give_up_joining(io);
        self.resync_if_due(io);
        self.repair_if_due(io);
        self.publish_if_due(io);
        self.missed_if_due(io);
        self.audit_if_due(io);
        if self.standing.is_live() {
            self.live = Some(io.now);
        }
        if self.audit.is_time_to_sweep(io.now) {
            self.sweep(io);
        }
    }

    /// Drops what is not recent any more, and rooms that nobody has needed for a while.
    fn sweep(&mut self, io: &mut Io<'_>) {
        self.late.forget(io.now);
        let idle = |room: &Room| {
            room.idle_since
                .is_some_and(|since| io.now.duration_since(since) > LINGER)
        };
        let mut gone = Vec::new();
        for (place, room) in &mut self.rooms {
            room.age(io.now);
            if idle(room) && room.workers.is_empty() && room.is_followed() {
                gone.push(Arc::clone(place));
            }
        }
        gone.sort_unstable();
        for place in gone {
            self.rooms.remove(&place);
            io.unsubscribe(io.names.subject("out", &place));
        }
    }

    fn ask(io: &mut Io<'_>, subject: String, body: String, ask: Ask) -> u64 {
        io.request(subject, Vec::new(), body, Purpose::Kept(ask), ANSWER)
    }
}

/// How long an answer about the stream may take.
const ANSWER: Duration = Duration::from_secs(2);

fn deliver_to(io: &Io<'_>, room: &Room, message: &Arc<Message>) {
    for worker in room.workers.iter() {
        io.workers
            .deliver(worker, BackboneEvent::Room(Arc::clone(message)));
    }
}

/// An answer that comes later.
pub(super) fn later<T: Send + 'static>(told: oneshot::Receiver<Result<T, Error>>) -> Reply<T> {
    Reply::Later(Box::pin(async move {
        // A core that is gone tells nothing.
        told.await.unwrap_or(Err(Error::Unavailable))
    }))
}

/// Whether a time has come.
fn is_due(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| at <= now)
}
