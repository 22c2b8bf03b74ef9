//! Messages that were delivered after greater ones of other rooms.
//!
//! A room that is known to be behind is named with every message meanwhile. Where that becomes
//! known later only, a client that was gone by then says that it has read further than it has:
//! who it is, is told by what had been delivered when the message came. Where there are more rooms
//! behind than can be named, it is told by how many had come late by then.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::names::Place;

/// How long a session may take to come back.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// The most that are remembered; the oldest go first.
const MOST: usize = 65_536;

/// What of the room, and of all rooms, had been delivered when a message came late.
#[derive(Debug)]
struct Entry {
    /// Which of all late messages it was, from 1 on.
    number: u64,
    before: u64,
    read_to: u64,
}

/// The late messages of this gateway.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// How many there ever were.
    count: u64,
    rooms: BTreeMap<Place, VecDeque<Entry>>,
    /// The rooms of all of them, in the order in which they came.
    order: VecDeque<(Instant, Place)>,
}

impl Late {
    pub(super) fn note(&mut self, at: Instant, place: &Place, before: u64, read_to: u64) {
        if self.order.len() >= MOST {
            self.drop_oldest();
        }
        let room = self.rooms.entry(Arc::clone(place)).or_default();
        self.count += 1;
        room.push_back(Entry {
            number: self.count,
            before,
            read_to,
        });
        self.order.push_back((at, Arc::clone(place)));
    }

    /// How many messages came late.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How far a member has read for sure who says that it has read up to `read`, and that it was
    /// there when the first `seen` late messages came.
    pub(super) fn read_up_to(&self, place: &Place, read: u64, seen: u64) -> u64 {
        let entries = self.rooms.get(place).into_iter().flatten();
        let concerns = entries.filter(|late| seen < late.number && read <= late.read_to);
        let before = concerns.map(|late| late.before).min();
        before.map_or(read, |before| before.min(read))
    }

    /// Up to where a reading may be from before a message of the room came.
    pub(super) fn concern_up_to(&self, place: &Place) -> u64 {
        let entries = self.rooms.get(place).into_iter().flatten();
        entries.map(|late| late.read_to).max().unwrap_or(0)
    }

    pub(super) fn forget(&mut self, now: Instant) {
        let is_old = |at: &Instant| now.duration_since(*at) > KEPT_FOR;
        while self.order.front().is_some_and(|(at, _)| is_old(at)) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, place)) = self.order.pop_front() else {
            return;
        };
        if let Some(room) = self.rooms.get_mut(&place) {
            room.pop_front();
            if room.is_empty() {
                self.rooms.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late() -> Late {
        let mut late = Late::default();
        late.note(Instant::now(), &"a".into(), 4, 8);
        late
    }

    #[test]
    fn who_was_gone_when_it_came_has_read_no_further_than_before_it() {
        for read in 4..=8 {
            assert_eq!(late().read_up_to(&"a".into(), read, 0), 4);
        }
    }

    #[test]
    fn others_have_had_it_or_get_it_when_they_recover() {
        assert_eq!(
            late().read_up_to(&"a".into(), 3, 0),
            3,
            "it is still to come"
        );
        assert_eq!(
            late().read_up_to(&"a".into(), 9, 0),
            9,
            "it came before that"
        );
        assert_eq!(late().read_up_to(&"b".into(), 6, 0), 6, "not of that room");
    }

    #[test]
    fn the_first_of_several_counts() {
        let mut late = late();
        late.note(Instant::now(), &"a".into(), 5, 8);
        assert_eq!(late.read_up_to(&"a".into(), 7, 0), 4);
        late.note(Instant::now(), &"a".into(), 8, 20);
        assert_eq!(late.read_up_to(&"a".into(), 12, 0), 8);
    }

    #[test]
    fn who_was_there_when_it_came_has_it() {
        let mut late = late();
        assert_eq!((late.count(), late.read_up_to(&"a".into(), 8, 1)), (1, 8));
        late.note(Instant::now(), &"a".into(), 6, 8);
        assert_eq!(late.read_up_to(&"a".into(), 8, 1), 6, "but not the next");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut late = late();
        late.forget(Instant::now() + KEPT_FOR + Duration::from_secs(1));
        assert!(late.order.is_empty() && late.rooms.is_empty());
    }
}
