//! Rooms that are behind: others have been delivered further than their next message.
//!
//! Each message that is delivered meanwhile names them, so that who has it, and nothing after it,
//! gets the rest of them wherever it goes on.

use std::sync::Arc;

use sluice_rooms::{Message, Position, Reading, RoomKey};

use super::Kept;
use crate::names::{self, Place};

impl Kept {
    /// How far the members are who have got all that was delivered: everything up to `offset`,
    /// except in the rooms that are behind.
    pub(super) fn reading(&self, position: Position) -> Reading {
        let mut reading = Reading::of(position);
        let places = self.repairing.iter().chain(self.audit.suspected());
        for room in places
            .chain(&self.trailing)
            .filter_map(|p| self.rooms.get(p))
        {
            if room.is_followed() {
                reading.hold_back(room.mark, room.head);
            }
        }
        reading.set_late(self.late.count());
        reading
    }

    /// Notes on a message how far its readers are with it.
    pub(super) fn note_reading(&self, message: &mut Message, position: Position) {
        let offset = self.watermark;
        let reading = self.reading(Position { offset, ..position });
        if reading.position() != position || !reading.is_even() {
            message.read = Some(Arc::new(reading));
        }
    }

    /// Whether a message is known to be missing that comes next in the room.
    pub(super) fn is_behind(&self, place: &Place) -> bool {
        self.repairing.contains(place) || self.audit.suspected().any(|suspect| suspect == place)
    }

    /// As [`Backbone::read_up_to`](sluice_backbone::Backbone::read_up_to).
    pub(crate) fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        for (key, from) in rooms {
            let said = read.named(key);
            let read = said.unwrap_or_else(|| self.read_in(&names::place(key), read));
            *from = read.max(*from);
        }
    }

    /// How far a member has read a room that its reading does not name.
    fn read_in(&self, place: &Place, reading: &Reading) -> u64 {
        let (position, seen) = (reading.position(), reading.late().unwrap_or(0));
        let read = position.offset;
        if Some(position.epoch) != self.epoch {
            return read;
        }
        let behind = self.rooms.get(place).filter(|_| self.is_behind(place));
        let behind = behind.filter(|room| room.is_followed());
        let head = behind.map_or(read, |room| room.head);
        self.late.read_up_to(place, read, seen).min(head)
    }
}
