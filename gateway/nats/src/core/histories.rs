//! Rooms with history: one JetStream stream for all of them.
//!
//! A message is stored under `<prefix>.in.<room>`; the stream's leader republishes it under
//! `<prefix>.out.<room>` with its sequence number, which is its offset, and with that of the
//! room's message before it. A gateway subscribes to the rooms it has members in, so it gets no
//! others, and sees by those two numbers whether any are missing. What is missing is read from
//! the stream before anything after it is delivered. There are no consumers.
//!
//! Each part has its own state and gets lent what else it needs: [`Rooms`] alone delivers, and
//! every other part reads from it or has it repair a room.

mod ask;
mod audit;
mod catch_up;
mod joins;
mod pages;
mod publishing;
mod room;
mod rooms;
mod session_recovery;
mod stream;
mod watch;

use std::time::Instant;

use sluice_backbone::{Bookmark, Joined, Missed, Publication, Reader, Receipt, Reply};
use sluice_contract::{Decoded, Names};
use sluice_rooms::{Epoch, HistoryLimits, Page, Query, Reading, RoomKey};

pub(crate) use self::{
    ask::Ask,
    publishing::IdOwner,
    stream::{StreamState, stream_state},
};
use self::{
    audit::Audit,
    catch_up::CatchUp,
    joins::{Joins, Passed},
    pages::Pages,
    publishing::{Fate, Publishing},
    room::Arrival,
    rooms::Rooms,
    session_recovery::Missing,
    watch::{Verdict, Watch},
};
use super::{
    HistoryCounters, Unsettled,
    counters::{StreamLosses, Unread},
    io::Io,
};
use crate::{Packet, envelope};

/// All rooms with history.
pub(crate) struct Histories {
    rooms: Rooms,
    watch: Watch,
    joins: Joins,
    catch_up: CatchUp,
    audit: Audit,
    publishing: Publishing,
    missing: Missing,
    pages: Pages,
}

impl Histories {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rooms: Rooms::new(seed),
            watch: Watch::default(),
            joins: Joins::default(),
            catch_up: CatchUp::default(),
            audit: Audit::default(),
            publishing: Publishing::default(),
            missing: Missing::default(),
            pages: Pages::default(),
        }
    }

    /// The history's identity, once the stream was seen.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.rooms.stream().epoch
    }

    /// Whether the stream took a message a moment ago. A leader that changes is no reason to say
    /// otherwise.
    pub(crate) fn stores(&self, now: Instant) -> bool {
        self.watch.stores(now)
    }

    /// What became of the stream while this gateway ran.
    pub(crate) fn losses(&self) -> StreamLosses {
        self.watch.losses
    }

    /// No message with a greater offset was delivered.
    pub(crate) fn watermark(&self) -> u64 {
        self.rooms.watermark()
    }

    /// What waits for something here.
    pub(crate) fn unsettled(&self) -> Unsettled {
        Unsettled {
            publications: self.publishing.len(),
            joining: self.rooms.joining(),
            repairing: self.rooms.repairing(),
            missing: self.missing.len(),
            apart: !self.rooms.is_live(),
            ..Unsettled::default()
        }
    }

    pub(crate) fn counters(&self) -> HistoryCounters {
        let (published, retried) = self.publishing.counts();
        HistoryCounters {
            published,
            retried,
            ..self.rooms.counters
        }
    }

    /// How many rooms are followed.
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// How many recent messages are held, and roughly their bytes.
    pub(crate) fn recent(&self) -> (u64, u64) {
        self.rooms.recent()
    }

    /// How many messages wait to be stored.
    pub(crate) fn unstored(&self) -> usize {
        self.publishing.len()
    }

    /// A worker has a member in a room from now on.
    pub(crate) fn subscribe(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        (key, limits): (&RoomKey, &HistoryLimits),
    ) -> Reply<Joined> {
        let joined = self.joins.join(io, &mut self.rooms, worker, key);
        self.rooms.keep(key, limits.max_age);
        joined
    }

    /// A worker has no member in a room any more.
    pub(crate) fn unsubscribe(&mut self, io: &Io<'_>, worker: usize, key: &RoomKey) {
        self.rooms.leave(io.now, worker, key);
    }

    /// Stores a message. It is delivered once the stream passes it on.
    pub(crate) fn publish(
        &mut self,
        io: &mut Io<'_>,
        publication: Publication,
        owner: IdOwner,
        limits: &HistoryLimits,
    ) -> Reply<Receipt> {
        let reach = self.watch.reach(&self.rooms);
        let stream = self.rooms.stream();
        self.publishing
            .publish(io, (stream, reach), publication, owner, limits)
    }

    /// What a session missed in its rooms with history.
    pub(crate) fn missed(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        bookmarks: &[Bookmark],
        reader: Reader,
    ) -> Reply<Missed> {
        let rooms = &mut self.rooms;
        self.missing.wish(io, rooms, worker, bookmarks, reader)
    }

    /// A page of a room's history.
    pub(crate) fn history(
        &mut self,
        io: &mut Io<'_>,
        room: &RoomKey,
        limits: HistoryLimits,
        query: Query,
    ) -> Reply<(Epoch, Page)> {
        self.pages
            .read(io, self.rooms.stream(), room, limits, query)
    }

    /// As [`Backbone::read_up_to`](sluice_backbone::Backbone::read_up_to).
    pub(crate) fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        self.rooms.read_up_to(rooms, read);
    }

    /// The stream's leader has passed on a message.
    pub(crate) fn message(&mut self, io: &mut Io<'_>, place: &str, packet: &Packet) {
        let Some((place, key)) = self.rooms.known(place) else {
            if matches!(place, Names::PULSE | Names::EPOCH) {
                self.watch.heard_own(io, place, packet);
            }
            return;
        };
        self.watch.heard(io.now);
        match self.read(io, key, packet) {
            Ok(arrival) => self.rooms.take(io, &place, arrival),
            Err(why) => self.rooms.counters.count_unread(why),
        }
    }

    fn read(&mut self, io: &Io<'_>, key: RoomKey, packet: &Packet) -> Result<Arrival, Unread> {
        let number = |header| packet.headers.number(header).ok_or(Unread::Garbage);
        let (offset, previous) = (number("Nats-Sequence")?, number("Nats-Last-Sequence")?);
        let received = match envelope::decode(key, &packet.payload, io.now) {
            Decoded::Known(received) => received,
            Decoded::Newer => return Err(Unread::Newer),
            Decoded::Garbage => return Err(Unread::Garbage),
        };
        if received.gateway != io.gateway {
            self.publishing.count_foreign(io, &received.message);
        }
        Ok(Arrival {
            message: received.message,
            offset,
            previous,
        })
    }

    /// The link is there: what was stored meanwhile is to be read.
    pub(crate) fn connected(&mut self, io: &mut Io<'_>) {
        self.follow_anew(io);
    }

    /// Holds back what arrives until the stream was looked at, and all rooms have caught up.
    fn follow_anew(&mut self, io: &mut Io<'_>) {
        self.catch_up.begin(&mut self.rooms);
        if io.connected {
            self.watch.look(io, &self.rooms);
        }
    }

    pub(crate) fn disconnected(&mut self, io: &Io<'_>) {
        self.watch.disconnected();
        let heard = self.watch.heard_at();
        self.catch_up.disconnected(&mut self.rooms, heard);
        self.joins.forget();
        self.rooms.repair_all_later(io);
    }

    /// The stream has another leader: the last one may have died before it passed all on.
    pub(crate) fn leader_changed(&mut self, io: &Io<'_>) {
        self.watch.suspect(io.now);
        self.audit.soon(io.now);
    }

    /// What the stream keeps may have changed.
    pub(crate) fn limits_changed(&mut self, now: Instant) {
        self.watch.suspect(now);
    }

    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, ask: &Ask, packet: &Packet) {
        let rooms = &mut self.rooms;
        match ask {
            Ask::Barrier => self.passed(io, request, packet),
            Ask::Look(number, part) => {
                io.requests.close(request);
                let verdict = self.watch.came(io, rooms, (*number, *part), packet);
                self.looked(io, verdict);
            }
            Ask::Pulse(reach) => {
                io.requests.close(request);
                self.watch.pulsed(io.now, *reach, packet);
            }
            Ask::Begin => {
                io.requests.close(request);
                self.watch.begun(io.now);
            }
            Ask::Moved(number) => {
                let question = (request, *number);
                let live = self.catch_up.moved(io, rooms, question, packet);
                self.audit_if(live, io.now);
            }
            Ask::Backlog(number) => {
                let question = (request, *number);
                let live = self.catch_up.read(io, rooms, question, packet);
                self.audit_if(live, io.now);
            }
            Ask::Expired(number) => {
                let question = (request, *number);
                let live = self.catch_up.counted(io, rooms, question, packet);
                self.audit_if(live, io.now);
            }
            Ask::Repair(place) => rooms.repaired(io, request, place, packet),
            Ask::RepairCheck(place) => rooms.repair_checked(io, request, place, packet),
            Ask::Publish(id) => self.acknowledged(io, request, *id, packet),
            Ask::Held(id) => {
                io.requests.close(request);
                let epoch = self.epoch();
                self.publishing.held(io.now, epoch, *id, packet);
                self.publishing.send_if_due(io, self.rooms.stream());
            }
            Ask::Missed(id, at, part) => {
                let of = (*id, *at, *part);
                self.missing.came(io, rooms, request, of, packet);
            }
            Ask::Page(id) => self.pages.came(io, rooms.stream(), request, *id, packet),
            Ask::Audit(number) => self.audit.came(io, rooms, (request, *number), packet),
        }
    }

    fn acknowledged(&mut self, io: &mut Io<'_>, request: u64, id: u64, packet: &Packet) {
        io.requests.close(request);
        let epoch = self.epoch();
        match self.publishing.acknowledged(io.now, epoch, id, packet) {
            Fate::Stored { offset, reach } => self.watch.took(io.now, offset, reach),
            Fate::Nowhere => self.watch.suspect(io.now),
            Fate::Known => self.publishing.send_if_due(io, self.rooms.stream()),
            Fate::Other => {}
        }
    }

    fn passed(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        io.requests.close(request);
        match self
            .joins
            .passed(io, (&mut self.rooms, &self.watch), packet)
        {
            Passed::Unknown => {}
            Passed::Followed(places) => {
                self.audit.follow(&self.rooms, places);
                self.joins.pass(io, self.rooms.stream());
            }
            Passed::Anew => self.follow_anew(io),
        }
    }

    /// The stream is there, as it is now: what waits for it goes on, and all rooms catch up.
    fn looked(&mut self, io: &mut Io<'_>, verdict: Option<Verdict>) {
        let info = match verdict {
            None => return,
            Some(Verdict::Same(info)) => {
                self.rooms.see_limits(info.limits);
                if self.catch_up.is_reading() || self.rooms.is_live() {
                    return;
                }
                info
            }
            Some(Verdict::Anew(info, epoch)) => {
                self.rooms.see_limits(info.limits);
                self.rooms.see(io, epoch, info.last);
                info
            }
        };
        self.publishing.send_again(io, self.rooms.stream());
        self.joins.pass(io, self.rooms.stream());
        let live = self.catch_up.read_up_to(io, &mut self.rooms, info.last);
        self.audit_if(live, io.now);
    }

    /// The last messages of rooms may have been lost before all rooms were caught up with.
    fn audit_if(&mut self, live: bool, now: Instant) {
        if live {
            self.audit.soon(now);
        }
    }

    pub(crate) fn unanswered(&mut self, io: &mut Io<'_>, ask: &Ask) {
        match ask {
            Ask::Barrier => self.joins.forget(),
            Ask::Look(number, _) => self.watch.unseen(io.now, *number),
            Ask::Pulse(_) => self.watch.unpulsed(io.now),
            Ask::Begin => self.watch.begun(io.now),
            Ask::Moved(number) => self.catch_up.moved_unanswered(io, *number),
            Ask::Backlog(number) => self.catch_up.read_unanswered(io, *number),
            Ask::Expired(number) => self.catch_up.counted_unanswered(io, *number),
            Ask::Repair(place) | Ask::RepairCheck(place) => self.rooms.repair_failed(io, place),
            Ask::Publish(id) | Ask::Held(id) => self.publishing.unanswered(io, *id),
            Ask::Missed(id, at, part) => self.missing.later(io, *id, *at, *part),
            Ask::Page(id) => self.pages.fail(*id),
            Ask::Audit(number) => self.audit.unanswered(*number),
        }
    }

    pub(crate) fn tick(&mut self, io: &mut Io<'_>) {
        self.watch.tick(io, &self.rooms);
        let rooms = &mut self.rooms;
        self.joins.pass(io, rooms.stream());
        self.joins.give_up(io, rooms);
        if self.catch_up.go_on(io, rooms) {
            self.audit.soon(io.now);
        }
        rooms.repair_if_due(io);
        self.publishing.send_if_due(io, rooms.stream());
        self.missing.go_on(io, rooms);
        self.audit.compare_if_due(io, rooms);
        rooms.sweep_if_due(io);
    }
}
