//! How far all rooms are delivered, and which rooms are behind that: others have been delivered
//! further than their next message.
//!
//! Each message that is delivered meanwhile names them, so that who has it, and nothing after it,
//! gets the rest of them wherever it goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use sluice_rooms::{Position, Reading};

use super::{ByPlace, Room, late::Late};
use crate::names::Place;

/// How far messages have been delivered, over all rooms.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// No message with a greater offset was delivered.
    watermark: u64,
    /// Rooms that miss something.
    repairing: BTreeSet<Place>,
    /// Messages that may be missing, and when they count as that.
    suspects: BTreeMap<Place, (Instant, u64)>,
    /// Rooms whose last message came late, since when nothing greater was delivered.
    trailing: BTreeSet<Place>,
    late: Late,
}

impl Progress {
    pub(super) fn watermark(&self) -> u64 {
        self.watermark
    }

    /// The stream was made anew, and `last` is its last message.
    pub(super) fn begin_anew(&mut self, last: u64) {
        self.watermark = last;
        self.repairing.clear();
        self.suspects.clear();
        (self.late, self.trailing) = (Late::default(), BTreeSet::new());
    }

    /// Everything up to here is delivered, except in rooms that are behind.
    pub(super) fn advance(&mut self, offset: u64) {
        if self.watermark < offset {
            self.watermark = offset;
            self.trailing.clear();
        }
    }

    /// What comes after `before` in a room comes late, or not at all. It is named on until
    /// something greater is delivered: so who was gone by then can be told from who was not.
    pub(super) fn trail(&mut self, now: Instant, place: &Place, before: u64) {
        self.late.note(now, place, before, self.watermark);
        self.trailing.insert(Arc::clone(place));
    }

    /// The rooms that miss something.
    pub(super) fn repairing(&self) -> &BTreeSet<Place> {
        &self.repairing
    }

    /// A room misses something.
    pub(super) fn begin_repair(&mut self, place: &Place) {
        self.repairing.insert(Arc::clone(place));
    }

    /// A room misses nothing any more.
    pub(super) fn end_repair(&mut self, place: &Place) {
        self.repairing.remove(place);
    }

    /// Unless it comes until `at`, a message is missing.
    pub(super) fn suspect(&mut self, at: Instant, place: Place, offset: u64) {
        self.suspects.entry(place).or_insert((at, offset));
    }

    /// Takes out the messages that count as missing now.
    pub(super) fn due_suspects(&mut self, now: Instant) -> Vec<(Place, u64)> {
        let due = self.suspects.extract_if(.., |_, (at, _)| *at <= now);
        due.map(|(place, (_, offset))| (place, offset)).collect()
    }

    /// Whether a message is known to be missing that comes next in the room.
    pub(super) fn is_behind(&self, place: &Place) -> bool {
        self.repairing.contains(place) || self.suspects.contains_key(place)
    }

    /// How far the members are who have got all that was delivered: everything up to `offset`,
    /// except in the rooms that are behind.
    pub(super) fn reading(&self, rooms: &ByPlace, position: Position) -> Reading {
        let mut reading = Reading::of(position);
        let places = self.repairing.iter().chain(self.suspects.keys());
        for room in places.chain(&self.trailing).filter_map(|p| rooms.get(p)) {
            if reading.is_vague() {
                // It names as many as it can, and there may be thousands.
                break;
            }
            if room.is_followed() {
                reading.hold_back(room.mark, room.head);
            }
        }
        reading.set_late(self.late.count());
        reading
    }

    /// How far a member has read a room of this history that its reading does not name.
    pub(super) fn read_in(&self, room: Option<&Room>, place: &Place, reading: &Reading) -> u64 {
        let (read, seen) = (reading.position().offset, reading.late().unwrap_or(0));
        let behind = room.filter(|room| self.is_behind(place) && room.is_followed());
        let head = behind.map_or(read, |room| room.head);
        self.late.read_up_to(place, read, seen).min(head)
    }

    /// Up to where a reading may be from before a message of the room came.
    pub(super) fn late_up_to(&self, place: &Place) -> u64 {
        self.late.concern_up_to(place)
    }

    /// Forgets late messages that no session can come back from before.
    pub(super) fn forget_late(&mut self, now: Instant) {
        self.late.forget(now);
    }
}
