//! Whether what was read of all rooms is all that they missed.
//!
//! Reading all rooms at once shows neither what a full room has dropped meanwhile, nor what had
//! been missing before the link was lost without anything to show it. So each room in what was
//! read is asked for what follows the last message that was delivered. A room where that is
//! another message is repaired by itself.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{
    Ask, Io, Kept, is_due,
    reading::{self, Found, Got},
    resync::AGAIN,
    room::Phase,
};
use crate::{Packet, names::Place};

/// A room whose messages are not delivered until it has answered.
#[derive(Debug)]
struct Open {
    /// The first of its messages that were read.
    first: u64,
    /// Whether the last one that was delivered is still there.
    joined: bool,
    /// When it is asked again; none while an answer is awaited.
    again: Option<Instant>,
}

/// What was read and is not delivered yet.
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
}

impl Kept {
    /// One answer was read to its end: its rooms are asked, and all of it is delivered then.
    pub(super) fn prove(&mut self, io: &mut Io<'_>) {
        for found in &self.proving.batch {
            let (place, first) = (Arc::clone(&found.place), found.offset);
            self.proving.open.entry(place).or_insert(Open {
                first,
                joined: false,
                again: Some(io.now),
            });
        }
        self.ask_due(io);
        self.deliver_proven(io);
    }

    pub(super) fn prove_if_due(&mut self, io: &mut Io<'_>) {
        if !self.proving.open.is_empty() {
            self.ask_due(io);
            self.deliver_proven(io);
        }
    }

    fn ask_due(&mut self, io: &mut Io<'_>) {
        let mut due = Vec::new();
        self.proving.open.retain(|place, open| {
            let Some(room) = self.rooms.get(place) else {
                return false;
            };
            if is_due(open.again, io.now) {
                (open.again, open.joined) = (None, false);
                due.push((Arc::clone(place), room.head));
            }
            true
        });
        for (place, head) in due {
            let subject = io.names.subject("in", &place);
            let body = reading::from_offset(&subject, head.max(1), 2);
            let ask = Ask::Prove(place);
            Self::ask(io, reading::batch_subject(io.names), body, ask);
        }
    }

    pub(super) fn proved(&mut self, io: &mut Io<'_>, request: u64, place: &Place, packet: &Packet) {
        let room = self.rooms.get(place);
        let (Some(room), Some(open)) = (room, self.proving.open.get_mut(place)) else {
            return io.requests.close(request);
        };
        let (head, first) = (room.head, open.first);
        let (next, whole) = match reading::got(io.names, packet, io.now) {
            Got::Message(found) if found.offset <= head => {
                open.joined = true;
                return;
            }
            Got::Message(found) => {
                let whole = open.joined || found.follows(head, self.stream);
                (found.offset, whole)
            }
            Got::Malformed(offset) if offset <= head => {
                open.joined = true;
                return;
            }
            Got::Malformed(offset) => (offset, open.joined),
            // A replica that is behind what was read.
            Got::End | Got::Nothing | Got::Unavailable => {
                io.requests.close(request);
                return self.prove_later(io, place);
            }
        };
        io.requests.close(request);
        self.proving.open.remove(place);
        if !whole || next != first {
            self.miss(io, place, first);
        }
        self.deliver_proven(io);
    }

    pub(super) fn prove_later(&mut self, io: &Io<'_>, place: &Place) {
        if let Some(open) = self.proving.open.get_mut(place) {
            open.again = Some(io.now + AGAIN);
        }
    }

    fn deliver_proven(&mut self, io: &mut Io<'_>) {
        if !self.proving.open.is_empty() {
            return;
        }
        for found in std::mem::take(&mut self.proving.batch) {
            let room = self.rooms.get(&found.place);
            // Those that are repaired read it themselves.
            if room.is_some_and(|room| matches!(room.phase, Phase::Following)) {
                let Found {
                    place,
                    offset,
                    message,
                    ..
                } = found;
                self.deliver_found(io, &place, offset, message);
            }
        }
        self.scanned_all(io);
    }
}
