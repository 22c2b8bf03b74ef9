//! Whether what was read of all rooms is all that they missed.
//!
//! Reading all rooms at once shows neither what a full room has dropped meanwhile, nor what had
//! been missing before the link was lost without anything to show it. So each room in what was
//! read is asked for what follows the last message that was delivered. A room where that is
//! another message is repaired by itself. So is one that does not answer for a while, or has
//! nothing of what was read any more: the others do not wait for it.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::AGAIN;
use crate::{
    Packet,
    core::{
        histories::{
            ask::{Ask, ask},
            rooms::Rooms,
            stream::{self, Found, Got},
        },
        io::Io,
        patience::is_due,
    },
    names::Place,
};

/// After so many answers that did not help a room is left to its own repair.
const TRIES: u32 = 3;

/// A room whose messages are not delivered until it has answered.
#[derive(Debug)]
struct Open {
    /// The first of its messages that were read.
    first: u64,
    /// The last of them.
    last: u64,
    /// How many answers did not help, or did not come.
    tries: u32,
    /// Whether the last one that was delivered is still there.
    joined: bool,
    /// When it is asked again; none while an answer is awaited.
    again: Option<Instant>,
}

/// What was read and is not delivered yet.
///
/// What can deliver all of it says so by `true`.
#[derive(Debug, Default)]
pub(super) struct Proving {
    batch: Vec<Found>,
    open: BTreeMap<Place, Open>,
}

impl Proving {
    pub(super) fn add(&mut self, found: Found) {
        self.batch.push(found);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// One answer was read to its end: its rooms are asked, and all of it is delivered then.
    pub(super) fn begin(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        for found in &self.batch {
            let (place, first) = (Arc::clone(&found.place), found.offset);
            let open = self.open.entry(place).or_insert(Open {
                first,
                last: first,
                tries: 0,
                joined: false,
                again: Some(io.now),
            });
            open.last = open.last.max(first);
        }
        self.ask_due(io, rooms);
        self.deliver(io, rooms)
    }

    /// Does what is due.
    pub(super) fn go_on(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let stuck = |_: &Place, open: &mut Open| open.tries >= TRIES;
        for (place, open) in self.open.extract_if(.., stuck) {
            rooms.miss(io, &place, open.last);
        }
        self.ask_due(io, rooms);
        self.deliver(io, rooms)
    }

    fn ask_due(&mut self, io: &mut Io<'_>, rooms: &Rooms) {
        let mut due = Vec::new();
        self.open.retain(|place, open| {
            let Some(room) = rooms.get(place) else {
                return false;
            };
            if is_due(open.again, io.now) {
                (open.again, open.joined) = (None, false);
                due.push((Arc::clone(place), room.head));
            }
            true
        });
        for (place, head) in due {
            let subject = io.names.stored(&place);
            let body = stream::from_offset(&subject, head.max(1), 2);
            ask(io, stream::batch_subject(io.names), body, Ask::Prove(place));
        }
    }

    /// What follows the last message that was delivered in a room.
    pub(super) fn answered(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) -> bool {
        let (Some(room), Some(open)) = (rooms.get(place), self.open.get_mut(place)) else {
            io.requests.close(request);
            return false;
        };
        let (head, first) = (room.head, open.first);
        let (next, whole) = match stream::got(io.names, packet, io.now) {
            Got::Message(found) if found.offset <= head => {
                open.joined = true;
                return false;
            }
            Got::Message(found) => {
                let whole = open.joined || found.follows(head, rooms.stream().limits);
                (found.offset, whole)
            }
            Got::Unread(offset, _) if offset <= head => {
                open.joined = true;
                return false;
            }
            Got::Unread(offset, _) => (offset, open.joined),
            // A replica that is behind what was read.
            Got::End | Got::Nothing | Got::Unavailable | Got::Refused => {
                io.requests.close(request);
                self.later(io, place);
                return false;
            }
        };
        io.requests.close(request);
        self.open.remove(place);
        if !whole || next != first {
            rooms.miss(io, place, first);
        }
        self.deliver(io, rooms)
    }

    pub(super) fn later(&mut self, io: &Io<'_>, place: &Place) {
        if let Some(open) = self.open.get_mut(place) {
            open.tries += 1;
            open.again = Some(io.now + AGAIN);
        }
    }

    fn deliver(&mut self, io: &Io<'_>, rooms: &mut Rooms) -> bool {
        if !self.open.is_empty() {
            return false;
        }
        for found in std::mem::take(&mut self.batch) {
            let room = rooms.get(&found.place);
            // Those that are repaired read it themselves.
            if room.is_some_and(|room| room.is_next(found.offset)) {
                rooms.deliver_found(io, &found.place, found.offset, found.message);
            }
        }
        true
    }
}
