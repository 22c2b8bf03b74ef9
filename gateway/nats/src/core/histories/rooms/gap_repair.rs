//! Reading what one room misses.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::BackboneEvent;
use sluice_rooms::Message;

use super::{Arrival, Phase, Repair, Room, Rooms};
use crate::{
    Packet,
    core::{
        counters::Unread,
        histories::{
            ask::{Ask, ask},
            stream::{self, BATCH, Found, Got, Leader},
        },
        io::Io,
        patience::is_due,
    },
    names::Place,
};

/// The most bytes of one answer: many rooms are read at once.
const REPAIR_BYTES: u64 = 512 << 10;

/// After so many tries the leader is asked whether it is still there.
const TRIES: u32 = 5;

impl Rooms {
    /// A message is known to be missing from a room that is followed.
    pub(crate) fn miss(&mut self, io: &mut Io<'_>, place: &Place, offset: u64) {
        let Some(room) = self.by_place.get(place) else {
            return;
        };
        if room.is_next(offset) {
            self.repair(io, place, Repair::new(offset, None));
        }
    }

    /// What may be missing counts as missing where its time is up.
    pub(crate) fn miss_suspects(&mut self, io: &mut Io<'_>) {
        for (place, offset) in self.progress.due_suspects(io.now) {
            self.miss(io, &place, offset);
        }
    }

    /// Unless it comes until `at`, a message is missing.
    pub(crate) fn suspect(&mut self, at: Instant, place: Place, offset: u64) {
        self.progress.suspect(at, place, offset);
    }

    /// How many rooms miss something.
    pub(crate) fn repairing(&self) -> usize {
        self.progress.repairing().len()
    }

    /// Reads what a room misses before anything after it is delivered.
    pub(super) fn repair(&mut self, io: &mut Io<'_>, place: &Place, repair: Repair) {
        if let Some(room) = self.by_place.get_mut(place) {
            room.phase = Phase::Repairing(repair);
            self.progress.begin_repair(place);
            self.turns.wait(Arc::clone(place));
            self.read_next(io);
        }
    }

    /// Reads rooms whose turn it is.
    fn read_next(&mut self, io: &mut Io<'_>) {
        while io.connected
            && self.is_live()
            && let Some(place) = self.turns.next()
        {
            self.read_missing(io, &place);
        }
    }

    fn read_missing(&mut self, io: &mut Io<'_>, place: &Place) {
        let Some(room) = self.by_place.get_mut(place) else {
            return;
        };
        let head = room.head;
        let Phase::Repairing(repair) = &mut room.phase else {
            return;
        };
        if repair.through <= head {
            // All of it came, but not the end of the answer.
            return self.repair_goes_on(io, place);
        }
        (repair.again, repair.proven, repair.began) = (None, false, head);
        let check = repair.tries >= TRIES;
        self.turns.begin(Arc::clone(place));
        let subject = io.names.stored(place);
        if check {
            let body = stream::next_of(&subject, head + 1);
            let check = Ask::RepairCheck(Arc::clone(place));
            ask(io, stream::leader_subject(io.names), body, check);
        } else {
            // From the last one that was delivered: if it is there, nothing is gone after it.
            let body = stream::from_offset_within(&subject, head.max(1), (BATCH, REPAIR_BYTES));
            let repair = Ask::Repair(Arc::clone(place));
            ask(io, stream::batch_subject(io.names), body, repair);
        }
    }

    pub(crate) fn repaired(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) {
        if !self.is_live() {
            // It would overtake what is read of all rooms, whose order would not be known.
            io.requests.close(request);
            return self.repair_failed(io, place);
        }
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                self.join_up(io, place, &found);
                self.deliver_found(io, place, found.offset, found.message);
            }
            // It holds its offset and can be delivered to nobody.
            Got::Unread(offset, why) => self.skip(place, offset, why),
            Got::End | Got::Nothing => {
                io.requests.close(request);
                self.turns.end(place);
                self.repair_goes_on(io, place);
                self.read_next(io);
            }
            Got::Unavailable | Got::Refused => {
                io.requests.close(request);
                self.repair_failed(io, place);
            }
        }
    }

    /// The first message of an answer tells whether any are gone before it.
    fn join_up(&mut self, io: &Io<'_>, place: &Place, found: &Found) {
        let Some(room) = self.by_place.get_mut(place) else {
            return;
        };
        let head = room.head;
        if let Phase::Repairing(repair) = &mut room.phase
            && !std::mem::replace(&mut repair.proven, true)
            && !found.follows(head, self.stream.limits)
        {
            self.lose(io, place, found.offset - 1);
        }
    }

    /// Messages up to `offset` are gone before they were delivered. The members are to come back
    /// and be told, and so are those who have gone and have read further in other rooms.
    fn lose(&mut self, io: &Io<'_>, place: &Place, offset: u64) {
        let Some(room) = self.by_place.get_mut(place) else {
            return;
        };
        self.counters.lost += 1;
        let before = room.head;
        room.lose(offset);
        for worker in room.workers.iter() {
            io.workers
                .deliver(worker, BackboneEvent::Lost(room.key.clone()));
        }
        tracing::warn!(room = %room.key, "messages are no longer in the stream that did not reach this gateway; give the Room more history");
        self.progress.advance(offset);
        self.progress.trail(io.now, place, before);
    }

    /// Nothing was heard of the stream for so long, and messages have gone from it meanwhile, up to
    /// `through`: nobody can tell whether there were any in the rooms that keep theirs for no
    /// longer than that.
    pub(crate) fn lose_expired(&mut self, io: &Io<'_>, away: Duration, through: u64) {
        let kept = self.stream().limits.max_age.unwrap_or(Duration::MAX);
        let is_expired = |room: &Room| room.is_followed() && room.keeps().min(kept) <= away;
        let expired = self.by_place.values().filter(|room| is_expired(room));
        let mut expired: Vec<_> = expired.map(|room| Arc::clone(&room.place)).collect();
        expired.sort_unstable();
        for place in expired {
            self.lose(io, &place, through);
        }
    }

    /// Delivers a message that was read, if it is after all that was delivered.
    pub(crate) fn deliver_found(
        &mut self,
        io: &Io<'_>,
        place: &Place,
        offset: u64,
        message: Message,
    ) {
        if self
            .by_place
            .get(place)
            .is_some_and(|room| room.head < offset)
        {
            self.counters.repaired += 1;
            let arrival = Arrival {
                message,
                offset,
                previous: 0,
            };
            self.deliver(io, place, arrival);
        }
    }

    fn skip(&mut self, place: &Place, offset: u64, why: Unread) {
        self.counters.count_unread(why);
        if let Some(room) = self.by_place.get_mut(place) {
            room.head = room.head.max(offset);
        }
    }

    /// All that one answer had is delivered: done, or not yet.
    fn repair_goes_on(&mut self, io: &mut Io<'_>, place: &Place) {
        let Some(room) = self.by_place.get_mut(place) else {
            return;
        };
        let head = room.head;
        match &mut room.phase {
            Phase::Repairing(repair) if repair.through <= head => {
                let waiting = std::mem::take(&mut repair.held);
                room.phase = Phase::Following;
                self.progress.end_repair(place);
                for arrival in waiting {
                    self.arrive(io, place, arrival);
                }
            }
            // The answer was full.
            Phase::Repairing(repair) if repair.began < head => {
                repair.tries = 0;
                self.turns.wait(Arc::clone(place));
            }
            // A replica that is behind.
            Phase::Repairing(repair) => repair.later(io.now),
            _ => {}
        }
    }

    pub(crate) fn repair_checked(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) {
        io.requests.close(request);
        self.turns.end(place);
        let Some(room) = self.by_place.get_mut(place) else {
            return self.read_next(io);
        };
        let Phase::Repairing(repair) = &mut room.phase else {
            return self.read_next(io);
        };
        let next = stream::leader(packet);
        let gone = match next {
            Leader::Has(offset) => offset > repair.through,
            Leader::Nothing => true,
            Leader::Unavailable => return self.repair_failed(io, place),
        };
        if gone {
            let through = repair.through;
            self.lose(io, place, through);
        } else {
            repair.tries = 0;
        }
        self.repair_goes_on(io, place);
        self.read_next(io);
    }

    /// An answer did not come, or did not help. The room is read again later.
    pub(crate) fn repair_failed(&mut self, io: &mut Io<'_>, place: &Place) {
        self.turns.end(place);
        self.repair_later(io, place);
        self.read_next(io);
    }

    fn repair_later(&mut self, io: &Io<'_>, place: &Place) {
        if let Some(room) = self.by_place.get_mut(place)
            && let Phase::Repairing(repair) = &mut room.phase
        {
            repair.later(io.now);
        }
    }

    /// The link is lost, and with it the answers.
    pub(crate) fn repair_all_later(&mut self, io: &Io<'_>) {
        self.turns.clear();
        for place in self.progress.repairing().clone() {
            self.repair_later(io, &place);
        }
    }

    pub(crate) fn repair_if_due(&mut self, io: &mut Io<'_>) {
        if !io.connected || !self.is_live() {
            return;
        }
        let mut over = Vec::new();
        for place in self.progress.repairing() {
            match self.by_place.get_mut(place).map(|room| &mut room.phase) {
                Some(Phase::Repairing(repair)) if is_due(repair.again, io.now) => {
                    repair.again = None;
                    self.turns.wait(Arc::clone(place));
                }
                Some(Phase::Repairing(_)) => {}
                _ => over.push(Arc::clone(place)),
            }
        }
        for place in over {
            self.progress.end_repair(&place);
        }
        self.read_next(io);
    }
}
