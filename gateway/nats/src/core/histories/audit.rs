//! Looking for messages that nothing behind them shows to be missing: the last ones of rooms.
//!
//! They can be lost where the stream's leader dies between storing and passing on, or where the
//! connection between two NATS servers breaks. All rooms are compared with the stream within
//! [`ROUND`], and at once after a change of the leader. Only what was stored since a room was
//! compared last comes in answer, so that idle rooms cost no more than their names.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Io,
    ask::{Ask, ask},
    rooms::Rooms,
    stream::{self, Got},
};
use crate::{Packet, core::patience::is_due, names::Place};

/// Within how long all rooms are compared, however many there are.
const ROUND: Duration = Duration::from_secs(30);

/// How often some of them are.
const EVERY: Duration = Duration::from_secs(2);

/// How many rooms one question is about, so that it fits into what the servers take however long
/// their names are.
const ROOMS: usize = 128;

/// How many questions are on their way at once.
const QUESTIONS: usize = 4;

/// How long a message may be on its way before it is missed.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// Rooms that are compared now.
#[derive(Debug)]
struct Comparison {
    places: Vec<Place>,
    /// The last message of the answer.
    reached: u64,
}

/// Which rooms are compared next, and when.
#[derive(Debug, Default)]
pub(super) struct Audit {
    /// The rooms, and the last message of the stream when each was compared last.
    rooms: BTreeMap<Place, u64>,
    /// The rooms up to here had their turn in this round.
    turn: Option<Place>,
    /// How many rooms are to be compared now.
    due: usize,
    next: Option<Instant>,
    /// When all are, since something may have been lost.
    all: Option<Instant>,
    last: u64,
    open: BTreeMap<u64, Comparison>,
}

impl Audit {
    /// Something may have been lost.
    pub(super) fn soon(&mut self, now: Instant) {
        self.all = Some(now + ON_ITS_WAY);
    }

    /// Rooms are followed from now on.
    pub(super) fn follow(&mut self, rooms: &Rooms, places: Vec<Place>) {
        for place in places {
            let head = rooms.get(&place).map_or(0, |room| room.head);
            self.rooms.insert(place, head);
        }
    }

    pub(super) fn compare_if_due(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) {
        rooms.miss_suspects(io);
        if !io.connected || !rooms.is_live() {
            return;
        }
        if self.next.is_none_or(|at| at <= io.now) {
            self.next = Some(io.now + EVERY);
            let turns = ROUND.as_secs().div_ceil(EVERY.as_secs()) as usize;
            self.due += self.rooms.len().div_ceil(turns);
        }
        if is_due(self.all, io.now) {
            (self.all, self.due) = (None, self.rooms.len());
        }
        self.due = self.due.min(self.rooms.len());
        while self.due > 0 && self.open.len() < QUESTIONS {
            self.compare_next(io, rooms);
        }
    }

    fn compare_next(&mut self, io: &mut Io<'_>, rooms: &Rooms) {
        let most = ROOMS.min(self.due);
        let from = self.turn.take().map_or(Bound::Unbounded, Bound::Excluded);
        let turn = self.rooms.range((from, Bound::Unbounded)).take(most);
        let turn: Vec<_> = turn
            .map(|(place, seen)| (Arc::clone(place), *seen))
            .collect();
        self.due -= turn.len();
        if turn.len() == most {
            self.turn = turn.last().map(|(place, _)| Arc::clone(place));
        }
        let (mut places, mut seen_by_all) = (Vec::new(), u64::MAX);
        for (place, seen) in turn {
            if rooms.get(&place).is_some() {
                places.push(place);
                seen_by_all = seen_by_all.min(seen);
            } else {
                self.rooms.remove(&place);
            }
        }
        if !places.is_empty() {
            self.ask(io, places, seen_by_all);
        }
    }

    /// Asks for the last messages of rooms, where they are after `seen`.
    fn ask(&mut self, io: &mut Io<'_>, places: Vec<Place>, seen: u64) {
        let subjects: Vec<_> = places.iter().map(|place| io.names.stored(place)).collect();
        let body = stream::last_after(&subjects, seen);
        self.last += 1;
        let comparison = Comparison {
            places,
            reached: seen,
        };
        self.open.insert(self.last, comparison);
        ask(
            io,
            stream::batch_subject(io.names),
            body,
            Ask::Audit(self.last),
        );
    }

    /// The last message of a room that was compared, or the end of them.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        (request, number): (u64, u64),
        packet: &Packet,
    ) {
        let Some(comparison) = self.open.get_mut(&number) else {
            return io.requests.close(request);
        };
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                comparison.reached = found.offset;
                let room = rooms.get(&found.place);
                if room.is_some_and(|room| room.is_next(found.offset)) {
                    rooms.suspect(io.now + ON_ITS_WAY, found.place, found.offset);
                }
            }
            Got::Unread(offset, _) => comparison.reached = offset,
            Got::End => {
                io.requests.close(request);
                self.ended(io, number, packet);
            }
            Got::Nothing | Got::Unavailable | Got::Refused => {
                io.requests.close(request);
                self.unanswered(number);
            }
        }
    }

    /// Whoever has answered has compared the rooms as of its own last message.
    fn ended(&mut self, io: &mut Io<'_>, number: u64, packet: &Packet) {
        let Some(Comparison { places, reached }) = self.open.remove(&number) else {
            return;
        };
        if stream::pending(packet) > 0 {
            return self.ask(io, places, reached);
        }
        let Some(last) = stream::up_to(packet) else {
            return;
        };
        for place in places {
            if let Some(seen) = self.rooms.get_mut(&place) {
                *seen = last.max(*seen);
            }
        }
    }

    /// The rooms are compared in the next round.
    pub(super) fn unanswered(&mut self, number: u64) {
        self.open.remove(&number);
    }
}
