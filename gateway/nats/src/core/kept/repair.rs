//! Reading what one room misses.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::BackboneEvent;

use super::{
    Ask, Io, Kept, is_due,
    reading::{self, BATCH, Found, Got, Leader},
    room::{Arrival, Phase, Repair},
};
use crate::{Packet, names::Place};

/// How long after an answer that did not have what is missing it is asked for again.
pub(super) const REPAIR_AGAIN: Duration = Duration::from_millis(100);

/// After so many tries the leader is asked whether it is still there.
const TRIES: u32 = 5;

/// The most messages that wait for a repair. What is dropped is missed again afterwards.
const HELD: usize = 16_384;

impl Repair {
    pub(super) fn new(through: u64, arrival: Option<Arrival>) -> Self {
        Self {
            through,
            held: arrival.into_iter().collect(),
            tries: 0,
            again: None,
            proven: false,
        }
    }

    pub(super) fn hold(&mut self, arrival: Arrival) {
        if self.held.len() < HELD {
            self.held.push_back(arrival);
        }
    }

    fn later(&mut self, now: Instant) {
        self.tries += 1;
        self.again = Some(now + REPAIR_AGAIN);
    }
}

impl Kept {
    /// A message is known to be missing from a room that is followed.
    pub(super) fn miss(&mut self, io: &mut Io<'_>, place: &Place, offset: u64) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        if matches!(room.phase, Phase::Following) && room.head < offset {
            room.phase = Phase::Repairing(Repair::new(offset, None));
            self.repairing.insert(Arc::clone(place));
            self.read_missing(io, place);
        }
    }

    pub(super) fn read_missing(&mut self, io: &mut Io<'_>, place: &Place) {
        let live = self.standing.is_live();
        let Some(room) = self.rooms.get_mut(place) else {
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
        if !io.connected || !live {
            return repair.later(io.now);
        }
        (repair.again, repair.proven) = (None, false);
        let check = repair.tries >= TRIES;
        let subject = io.names.subject("in", place);
        if check {
            let body = reading::next_of(&subject, head + 1);
            let ask = Ask::RepairCheck(Arc::clone(place));
            Self::ask(io, reading::leader_subject(io.names), body, ask);
        } else {
            // From the last one that was delivered: if it is there, nothing is gone after it.
            let body = reading::from_offset(&subject, head.max(1), BATCH);
            let ask = Ask::Repair(Arc::clone(place));
            Self::ask(io, reading::batch_subject(io.names), body, ask);
        }
    }

    pub(super) fn repaired(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) {
        if !self.standing.is_live() {
            // It would overtake what is read of all rooms, whose order would not be known.
            io.requests.close(request);
            return self.repair_later(io, place);
        }
        match reading::got(io.names, packet, io.now) {
            Got::Message(found) => {
                self.join_up(io, place, &found);
                self.deliver_found(io, place, found.offset, found.message);
            }
            // It holds its offset and can be delivered to nobody.
            Got::Malformed(offset) => self.skip(place, offset),
            Got::End | Got::Nothing => {
                io.requests.close(request);
                self.repair_goes_on(io, place);
            }
            Got::Unavailable => {
                io.requests.close(request);
                self.repair_later(io, place);
            }
        }
    }

    /// The first message of an answer tells whether any are gone before it.
    fn join_up(&mut self, io: &Io<'_>, place: &Place, found: &Found) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        let head = room.head;
        if let Phase::Repairing(repair) = &mut room.phase
            && !std::mem::replace(&mut repair.proven, true)
            && !found.follows(head, self.stream)
        {
            self.lose(io, place, found.offset - 1);
        }
    }

    /// Messages up to `offset` are gone before they were delivered. The members are to come back
    /// and be told, and so are those who have gone and have read further in other rooms.
    pub(super) fn lose(&mut self, io: &Io<'_>, place: &Place, offset: u64) {
        let Some(room) = self.rooms.get_mut(place) else {
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
        self.advance(offset);
        self.trail(io, place, before);
    }

    /// Delivers a message that was read, if it is after all that was delivered.
    pub(super) fn deliver_found(
        &mut self,
        io: &Io<'_>,
        place: &Place,
        offset: u64,
        message: sluice_rooms::Message,
    ) {
        if self.rooms.get(place).is_some_and(|room| room.head < offset) {
            self.counters.repaired += 1;
            let arrival = Arrival {
                message,
                offset,
                previous: 0,
            };
            self.deliver(io, place, arrival);
        }
    }

    fn skip(&mut self, place: &Place, offset: u64) {
        self.counters.malformed += 1;
        if let Some(room) = self.rooms.get_mut(place) {
            room.head = room.head.max(offset);
        }
    }

    /// All that one answer had is delivered: done, or not yet.
    fn repair_goes_on(&mut self, io: &mut Io<'_>, place: &Place) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        let head = room.head;
        match &mut room.phase {
            Phase::Repairing(repair) if repair.through <= head => {
                let waiting = std::mem::take(&mut repair.held);
                room.phase = Phase::Following;
                self.repairing.remove(place);
                self.release(io, place, waiting);
            }
            // A replica that is behind, or the answer was full.
            Phase::Repairing(repair) => repair.later(io.now),
            _ => {}
        }
    }

    fn release(&mut self, io: &mut Io<'_>, place: &Place, waiting: VecDeque<Arrival>) {
        for arrival in waiting {
            self.arrive(io, place, arrival);
        }
    }

    pub(super) fn repair_checked(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) {
        io.requests.close(request);
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        let Phase::Repairing(repair) = &mut room.phase else {
            return;
        };
        let next = reading::leader(packet);
        let gone = match next {
            Leader::Has(offset) => offset > repair.through,
            Leader::Nothing => true,
            Leader::Unavailable => return self.repair_later(io, place),
        };
        if gone {
            let through = repair.through;
            self.lose(io, place, through);
        } else {
            repair.tries = 0;
        }
        self.repair_goes_on(io, place);
    }

    pub(super) fn repair_later(&mut self, io: &Io<'_>, place: &Place) {
        if let Some(room) = self.rooms.get_mut(place)
            && let Phase::Repairing(repair) = &mut room.phase
        {
            repair.later(io.now);
        }
    }

    pub(super) fn repair_if_due(&mut self, io: &mut Io<'_>) {
        if !io.connected || !self.standing.is_live() {
            return;
        }
        for place in self.repairing.clone() {
            let due = match self.rooms.get(&place).map(|room| &room.phase) {
                Some(Phase::Repairing(repair)) => is_due(repair.again, io.now),
                _ => !self.repairing.remove(&place),
            };
            if due {
                self.read_missing(io, &place);
            }
        }
    }
}
