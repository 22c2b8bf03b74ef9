//! What the rooms that have moved have missed: each is read by itself, and all of it is delivered
//! in the order of the stream.
//!
//! A room that does not answer for a while, has nothing of it any more, or has lost some of it, is
//! left to its own repair: the others do not wait for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use super::AGAIN;
use crate::{
    Packet,
    core::{
        histories::{
            ask::{Ask, ask},
            rooms::Rooms,
            stream::{self, BATCH, Found, Got},
        },
        io::Io,
        patience::is_due,
    },
    names::Place,
};

/// The most rooms that are read at once.
const ROOMS: usize = 128;

/// The most bytes of one answer.
const ANSWER_BYTES: u64 = 512 << 10;

/// The most bytes that wait until all rooms are read. Rooms beyond that are repaired afterwards.
const BYTES: usize = 64 << 20;

/// After so many answers that did not help a room is left to its own repair.
const TRIES: u32 = 3;

/// A room that is to be read.
#[derive(Debug)]
struct Wanted {
    /// The last of its messages.
    last: u64,
    /// It is read up to here, and was so when it was asked last.
    cursor: u64,
    began: u64,
    /// Whether the answer that is awaited has shown that nothing is gone before it.
    joined: bool,
    tries: u32,
    /// When it is asked; none while an answer is awaited.
    again: Option<Instant>,
}

/// How a room stands after a part of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// More of it comes.
    Goes,
    /// The answer is over, and the rest is asked for.
    Further,
    /// The answer did not help.
    Later,
    /// All of it is here.
    Done,
    /// It is left to its own repair.
    Stuck,
}

/// What was missed, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    through: u64,
    rooms: BTreeMap<Place, Wanted>,
    /// The rooms whose answers are awaited, by the numbers of the questions.
    reading: BTreeMap<u64, Place>,
    /// Rooms that may be asked now.
    waiting: BTreeSet<Place>,
    last: u64,
    found: Vec<Found>,
    bytes: usize,
    /// Rooms that are left to their own repair, and their last messages.
    stuck: Vec<(Place, u64)>,
}

impl Backlog {
    /// Begins anew, with no room yet.
    pub(super) fn begin(&mut self, through: u64) {
        *self = Self {
            through,
            // Answers from before belong to nothing.
            last: self.last,
            ..Self::default()
        };
    }

    /// Whether all rooms are read.
    pub(super) fn is_read(&self) -> bool {
        self.rooms.is_empty()
    }

    /// A room has moved, and `last` is its last message.
    pub(super) fn want(&mut self, io: &mut Io<'_>, rooms: &Rooms, place: Place, last: u64) {
        let last = last.min(self.through);
        if let Some(wanted) = self.rooms.get_mut(&place) {
            wanted.last = wanted.last.max(last);
            return;
        }
        let Some(room) = rooms.get(&place).filter(|room| room.is_next(last)) else {
            return;
        };
        let wanted = Wanted {
            last,
            cursor: room.head,
            began: room.head,
            joined: false,
            tries: 0,
            again: None,
        };
        self.rooms.insert(Arc::clone(&place), wanted);
        self.waiting.insert(place);
        self.ask_next(io);
    }

    fn ask_next(&mut self, io: &mut Io<'_>) {
        while self.reading.len() < ROOMS
            && let Some(place) = self.waiting.pop_first()
        {
            let Some(wanted) = self.rooms.get_mut(&place) else {
                continue;
            };
            (wanted.began, wanted.joined, wanted.again) = (wanted.cursor, false, None);
            self.last += 1;
            // From the last one that is known: if it is there, nothing is gone after it.
            let (from, subject) = (wanted.cursor.max(1), io.names.stored(&place));
            let body = stream::from_offset_within(&subject, from, (BATCH, ANSWER_BYTES));
            self.reading.insert(self.last, place);
            ask(
                io,
                stream::batch_subject(io.names),
                body,
                Ask::Backlog(self.last),
            );
        }
    }

    /// A part of an answer.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        rooms: &Rooms,
        (request, number): (u64, u64),
        packet: &Packet,
    ) {
        let place = self.reading.get(&number).cloned();
        let wanted = place.as_ref().and_then(|place| self.rooms.get_mut(place));
        let (Some(place), Some(wanted)) = (place, wanted) else {
            self.reading.remove(&number);
            return io.requests.close(request);
        };
        let limits = rooms.stream().limits;
        let mut reading = match stream::got(io.names, packet, io.now) {
            Got::Message(found) if found.offset <= wanted.cursor => wanted.known(),
            Got::Unread(offset, _) if offset <= wanted.cursor => wanted.known(),
            Got::Message(found) if !wanted.joined && !found.follows(wanted.cursor, limits) => {
                Reading::Stuck
            }
            Got::Message(found) if found.offset > self.through => Reading::Done,
            Got::Message(found) => {
                self.bytes += found.message.size();
                let reading = wanted.missed(found.offset);
                self.found.push(*found);
                reading
            }
            // It is counted when the room is repaired.
            Got::Unread(..) => Reading::Stuck,
            Got::End | Got::Nothing | Got::Unavailable | Got::Refused => wanted.ended(),
        };
        if reading == Reading::Goes && self.bytes > BYTES {
            reading = Reading::Stuck;
        }
        if reading != Reading::Goes {
            io.requests.close(request);
            self.reading.remove(&number);
            self.went(io, &place, reading);
        }
    }

    fn went(&mut self, io: &mut Io<'_>, place: &Place, reading: Reading) {
        match reading {
            Reading::Goes => {}
            Reading::Further => _ = self.waiting.insert(Arc::clone(place)),
            Reading::Done => _ = self.rooms.remove(place),
            Reading::Later => {
                if let Some(wanted) = self.rooms.get_mut(place) {
                    wanted.again = Some(io.now + AGAIN);
                }
            }
            Reading::Stuck => {
                if let Some(wanted) = self.rooms.remove(place) {
                    self.stuck.push((Arc::clone(place), wanted.last));
                }
            }
        }
        self.ask_next(io);
    }

    /// An answer does not come.
    pub(super) fn unanswered(&mut self, io: &mut Io<'_>, number: u64) {
        if let Some(place) = self.reading.remove(&number)
            && let Some(wanted) = self.rooms.get_mut(&place)
        {
            let reading = wanted.ended();
            self.went(io, &place, reading);
        }
    }

    /// Asks rooms again whose time has come.
    pub(super) fn ask_due(&mut self, io: &mut Io<'_>) {
        for (place, wanted) in &mut self.rooms {
            if is_due(wanted.again, io.now) {
                wanted.again = None;
                self.waiting.insert(Arc::clone(place));
            }
        }
        self.ask_next(io);
    }

    /// Delivers all that was read. Rooms that are stuck are named as behind with it.
    pub(super) fn deliver(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) {
        for (place, last) in std::mem::take(&mut self.stuck) {
            rooms.miss(io, &place, last);
        }
        let mut found = std::mem::take(&mut self.found);
        found.sort_unstable_by_key(|found| found.offset);
        for found in found {
            let room = rooms.get(&found.place);
            // Those that are repaired read it themselves.
            if room.is_some_and(|room| room.is_next(found.offset)) {
                rooms.deliver_found(io, &found.place, found.offset, found.message);
            }
        }
    }
}

impl Wanted {
    fn known(&mut self) -> Reading {
        self.joined = true;
        Reading::Goes
    }

    fn missed(&mut self, offset: u64) -> Reading {
        (self.joined, self.cursor, self.tries) = (true, offset, 0);
        if self.cursor >= self.last {
            Reading::Done
        } else {
            Reading::Goes
        }
    }

    /// The answer is over before all of it was there, or did not come.
    fn ended(&mut self) -> Reading {
        if self.began < self.cursor {
            return Reading::Further;
        }
        // A replica that is behind, or it is no longer there.
        self.tries += 1;
        if self.tries >= TRIES {
            Reading::Stuck
        } else {
            Reading::Later
        }
    }
}
