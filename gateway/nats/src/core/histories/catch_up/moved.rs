//! Which of this gateway's own rooms have moved while it was away.
//!
//! The last messages of its rooms are asked for, many rooms at a time, where they are
//! after what was delivered. So catching up costs the names of its own rooms, and what they have
//! missed, however much the fleet has stored meanwhile.

use std::{collections::BTreeMap, time::Instant};

use sluice_contract::Names;

use super::AGAIN;
use crate::{
    Packet,
    core::{
        histories::{
            ask::{Ask, ask},
            rooms::Rooms,
            stream::{self, Got},
        },
        io::Io,
        patience::is_due,
    },
    names::Place,
};

/// How many rooms one question is about, so that it fits into what the servers take however long
/// their names are.
const ROOMS: usize = 128;

/// How many questions are on their way at once.
const QUESTIONS: usize = 4;

/// After so many answers of replicas that are behind, what they have is all that there is.
const TRIES: u32 = 25;

/// Rooms that are asked about together.
#[derive(Debug)]
struct Chunk {
    places: Vec<Place>,
    /// Only later messages are wanted.
    after: u64,
    tries: u32,
    /// When they are asked about; none while an answer is awaited.
    again: Option<Instant>,
}

/// The rooms that are still to be asked about.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Answers from before this one has begun are for none of its chunks.
    last: u64,
    through: u64,
    chunks: BTreeMap<u64, Chunk>,
}

impl Moved {
    /// Asks about no room any more.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }

    /// Whether it is known of all rooms.
    pub(super) fn is_known(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Begins to ask about all rooms, up to the offset `through`.
    pub(super) fn begin(&mut self, io: &mut Io<'_>, rooms: &Rooms, through: u64) {
        self.chunks.clear();
        self.through = through;
        let places = rooms.even();
        for places in places.chunks(ROOMS) {
            self.last += 1;
            let chunk = Chunk {
                places: places.to_vec(),
                after: rooms.watermark(),
                tries: 0,
                again: Some(io.now),
            };
            self.chunks.insert(self.last, chunk);
        }
        self.ask_due(io);
    }

    /// Asks about rooms whose turn it is.
    pub(super) fn ask_due(&mut self, io: &mut Io<'_>) {
        let open = self.chunks.values().filter(|chunk| chunk.again.is_none());
        let free = QUESTIONS.saturating_sub(open.count());
        let mut asked = 0;
        for (number, chunk) in &mut self.chunks {
            if asked < free && is_due(chunk.again, io.now) {
                asked += 1;
                chunk.again = None;
                chunk.ask(io, *number);
            }
        }
    }

    /// A part of an answer. The room whose last message it is, and that message's offset.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        (request, number): (u64, u64),
        packet: &Packet,
    ) -> Option<(Place, u64)> {
        let Some(chunk) = self.chunks.get_mut(&number) else {
            io.requests.close(request);
            return None;
        };
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                chunk.after = chunk.after.max(found.offset);
                return Some((found.place, found.offset));
            }
            Got::Unread(offset, _) => chunk.after = chunk.after.max(offset),
            end => {
                io.requests.close(request);
                self.ended(io, number, &end, packet);
            }
        }
        None
    }

    fn ended(&mut self, io: &mut Io<'_>, number: u64, end: &Got, packet: &Packet) {
        let Some(chunk) = self.chunks.get_mut(&number) else {
            return;
        };
        let is_behind = stream::up_to(packet).is_some_and(|last| last < self.through);
        if matches!(end, Got::End) && stream::pending(packet) > 0 {
            chunk.again = Some(io.now);
        } else if matches!(end, Got::Unavailable) || is_behind && chunk.tries < TRIES {
            chunk.tries += 1;
            chunk.again = Some(io.now + AGAIN);
        } else {
            self.chunks.remove(&number);
        }
        self.ask_due(io);
    }

    /// An answer does not come.
    pub(super) fn unanswered(&mut self, io: &Io<'_>, number: u64) {
        if let Some(chunk) = self.chunks.get_mut(&number) {
            chunk.again = Some(io.now + AGAIN);
        }
    }
}

impl Chunk {
    fn ask(&self, io: &mut Io<'_>, number: u64) {
        let places = self.places.iter().map(|place| io.names.stored(place));
        let mut subjects: Vec<_> = places.collect();
        // It is always there: who answers says how far it is where no room has a message.
        subjects.push(io.names.stored(Names::PULSE));
        let body = stream::last_after(&subjects, self.after);
        ask(
            io,
            stream::batch_subject(io.names),
            body,
            Ask::Moved(number),
        );
    }
}
