//! Looking for messages that nothing behind them shows to be missing: the last ones of rooms.
//!
//! They can be lost where the stream's leader dies between storing and passing on, or where the
//! connection between two NATS servers breaks. A few rooms at a time are compared with the stream,
//! more of them after a change of the leader.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    Io,
    ask::{Ask, ask},
    rooms::Rooms,
    stream::{self, Got},
};
use crate::{Packet, names::Place};

/// How often some rooms are compared.
const EVERY: Duration = Duration::from_secs(2);

/// How many at a time.
const ROOMS: usize = 64;

/// How often, and how many, for a while after something may have been lost.
const SOON: Duration = Duration::from_millis(200);
const MANY: usize = 512;

/// How long a message may be on its way before it is missed.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// Which rooms are compared next, and when.
#[derive(Debug, Default)]
pub(super) struct Audit {
    next: Option<Instant>,
    /// How many rooms are still to be compared quickly.
    hurry: usize,
    /// The rooms in the order of their turns.
    turns: VecDeque<Place>,
}

impl Audit {
    /// Something may have been lost.
    pub(super) fn soon(&mut self, now: Instant) {
        self.hurry = usize::MAX;
        self.next = Some(now + ON_ITS_WAY);
    }

    /// Rooms are followed from now on.
    pub(super) fn follow(&mut self, places: Vec<Place>) {
        self.turns.extend(places);
    }

    pub(super) fn compare_if_due(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) {
        rooms.miss_suspects(io);
        if !io.connected || !rooms.is_live() || rooms.is_empty() {
            return;
        }
        if self.next.is_none_or(|at| at <= io.now) {
            let many = self.hurry > 0;
            let subjects = self.next_rooms(io, rooms, if many { MANY } else { ROOMS });
            self.hurry = self.hurry.min(rooms.len()).saturating_sub(MANY);
            self.next = Some(io.now + if self.hurry > 0 { SOON } else { EVERY });
            if !subjects.is_empty() {
                let body = stream::last_of(&subjects);
                ask(io, stream::batch_subject(io.names), body, Ask::Audit);
            }
        }
    }

    /// The last message of a room that was compared.
    pub(super) fn came(io: &mut Io<'_>, rooms: &mut Rooms, request: u64, packet: &Packet) {
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                let room = rooms.get(&found.place);
                if room.is_some_and(|room| room.is_next(found.offset)) {
                    rooms.suspect(io.now + ON_ITS_WAY, found.place, found.offset);
                }
            }
            Got::Unread(..) => {}
            Got::End | Got::Nothing | Got::Unavailable | Got::Refused => io.requests.close(request),
        }
    }

    /// The subjects of the rooms whose turn it is.
    fn next_rooms(&mut self, io: &Io<'_>, rooms: &Rooms, most: usize) -> Vec<String> {
        let mut subjects = Vec::new();
        for _ in 0..self.turns.len().min(most) {
            if let Some(place) = self.turns.pop_front()
                && rooms.get(&place).is_some()
            {
                subjects.push(io.names.stored(&place));
                self.turns.push_back(place);
            }
        }
        subjects
    }
}
