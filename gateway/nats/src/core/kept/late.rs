//! Messages that were delivered after greater ones of other rooms.
//!
//! A client's one position says that it has read everything up to an offset. Where a message came
//! late, that is not so for a client that was gone by then: it is told that it cannot recover.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::names::Place;

/// How long a session may take to come back.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// The most that are remembered; the oldest go first.
const MOST: usize = 65_536;

#[derive(Debug)]
struct Entry {
    at: Instant,
    place: Place,
    offset: u64,
    /// What had been delivered by then.
    read_to: u64,
}

/// The late messages of this gateway.
#[derive(Debug, Default)]
pub(super) struct Late(VecDeque<Entry>);

impl Late {
    pub(super) fn note(&mut self, at: Instant, place: &Place, offset: u64, read_to: u64) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Entry {
            at,
            place: Arc::clone(place),
            offset,
            read_to,
        });
    }

    /// Whether a member whose messages began after `from` and who has read up to `position` may
    /// not have had one of them.
    pub(super) fn concerns(&self, place: &Place, from: u64, position: u64) -> bool {
        self.0.iter().any(|late| {
            late.place == *place
                && from < late.offset
                && late.offset <= position
                && position <= late.read_to
        })
    }

    pub(super) fn forget(&mut self, now: Instant) {
        while self
            .0
            .front()
            .is_some_and(|late| now.duration_since(late.at) > KEPT_FOR)
        {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late() -> Late {
        let mut late = Late::default();
        late.note(Instant::now(), &"a".into(), 5, 8);
        late
    }

    #[test]
    fn a_member_who_has_read_between_the_two_offsets_may_have_missed_it() {
        for position in 5..=8 {
            assert!(late().concerns(&"a".into(), 4, position));
        }
    }

    #[test]
    fn others_have_had_it_or_get_it_when_they_recover() {
        assert!(!late().concerns(&"a".into(), 4, 4), "it is still to come");
        assert!(!late().concerns(&"a".into(), 4, 9), "it came before that");
        assert!(!late().concerns(&"a".into(), 5, 8), "joined after it");
        assert!(!late().concerns(&"b".into(), 4, 6), "not in the room");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut late = late();
        late.forget(Instant::now() + KEPT_FOR + Duration::from_secs(1));
        assert!(late.0.is_empty());
    }
}
