//! One room of what a session missed.
//!
//! Whether any of it is gone is told by what is still there: the oldest messages of a room go
//! first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::Bookmark;
use sluice_rooms::{Epoch, Message};

use crate::{
    Packet,
    core::{
        histories::{
            ask::Part,
            stream::{self, Found, Got, Leader, Limits},
        },
        io::Io,
    },
    names::{self, Place},
};

/// How long after an answer that was not complete it is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(50);

/// One room of a wish.
#[derive(Debug)]
pub(super) struct Want {
    pub(super) place: Place,
    pub(super) after: u64,
    /// How far its reader has read elsewhere, in other rooms.
    pub(super) read_elsewhere: u64,
    /// Whether the room has a history; else nothing is missed there.
    pub(super) kept: bool,
    /// How long ago the first missed message was published at most.
    pub(super) within: Option<Duration>,
    pub(super) max_age: Duration,
    pub(super) max_messages: usize,
    /// Everything up to here is read.
    pub(super) cursor: u64,
    /// Where the last answer began.
    pub(super) began: u64,
    pub(super) read: Vec<Arc<Message>>,
    pub(super) tail: Option<u64>,
    /// The oldest message that is there, once that is known; the greatest number if none is.
    pub(super) first: Option<u64>,
    /// Whether none is too old to be there.
    pub(super) proven: bool,
    last_read: LastRead,
    /// Whether the answer that is awaited has shown that nothing is gone before it.
    pub(super) joined: bool,
    pub(super) asked: Vec<Part>,
    /// When the rest is read; none while an answer is awaited.
    pub(super) again: Option<Instant>,
}

/// The message after which a session wants all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastRead {
    /// Its client has it, and it is not known to be there still.
    Unchecked,
    /// It is there, or says nothing: the session began to want all after it without having had it.
    Settled,
}

/// Whether nothing is gone of what a session wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Whole,
    Gone,
    Needs(Part),
}

impl Want {
    pub(super) fn new(bookmark: &Bookmark, read_elsewhere: u64) -> Self {
        let read = read_elsewhere == bookmark.after && read_elsewhere > 0;
        let history = bookmark.settings.history;
        Self {
            place: names::place(&bookmark.room),
            after: bookmark.after,
            read_elsewhere,
            kept: history.is_some(),
            within: bookmark.within,
            max_age: history.map_or(Duration::ZERO, |limits| limits.max_age),
            max_messages: history.map_or(0, |limits| limits.max_messages),
            cursor: bookmark.after,
            began: bookmark.after,
            read: Vec::new(),
            tail: None,
            first: None,
            proven: false,
            last_read: if read {
                LastRead::Unchecked
            } else {
                LastRead::Settled
            },
            joined: false,
            asked: Vec::new(),
            again: None,
        }
    }

    /// None is too old to be there where the wanted ones are younger than the room keeps them, or
    /// a message before them is still there, since the oldest go first.
    pub(super) fn proof(&self) -> Proof {
        if self.within.is_some_and(|within| within < self.max_age) {
            // What is too young to be gone may have been purged, with what the client has.
            return match self.last_read {
                LastRead::Unchecked => Proof::Needs(Part::Read),
                LastRead::Settled => Proof::Whole,
            };
        }
        match (self.first, self.within) {
            // From the very beginning: there is nothing that could tell of older ones.
            (_, None) if self.after == 0 => Proof::Whole,
            (None, _) => Proof::Needs(Part::First),
            (Some(first), _) if first <= self.after => Proof::Whole,
            (_, Some(_)) => Proof::Gone,
            (_, None) => Proof::Needs(Part::Time),
        }
    }

    pub(super) fn tail_came(&mut self, packet: &Packet, now: Instant) -> bool {
        match stream::leader(packet) {
            Leader::Has(offset) => self.tail = Some(offset),
            Leader::Nothing => self.tail = Some(0),
            Leader::Unavailable => self.again = Some(now + AGAIN),
        }
        true
    }

    pub(super) fn read_came(&mut self, packet: &Packet, now: Instant) -> bool {
        match stream::leader(packet) {
            Leader::Has(_) => self.last_read = LastRead::Settled,
            Leader::Nothing => self.within = Some(Duration::MAX),
            Leader::Unavailable => self.again = Some(now + AGAIN),
        }
        true
    }

    /// Whether some may be gone before the first message of an answer.
    pub(super) fn is_gone_before(&mut self, found: &Found, limits: Limits) -> bool {
        !std::mem::replace(&mut self.joined, true) && !found.follows(self.cursor, limits)
    }

    pub(super) fn range_came(&mut self, found: Found, floor: u64, epoch: Epoch) {
        if found.offset > floor {
            // Everything behind the floor is recent.
            self.cursor = self.cursor.max(floor);
        } else if found.offset > self.cursor {
            self.cursor = found.offset;
            self.read.push(found.into_message(epoch));
        }
    }

    /// The end of an answer with messages: the rest comes with the next one. It is asked for at
    /// once where this one brought any, so that a room in which much is published is caught up
    /// with before its recent messages have moved on.
    pub(super) fn range_ended(&mut self, end: &Got, floor: u64, now: Instant) -> bool {
        let reached = self.tail.is_some_and(|tail| tail <= self.cursor) || floor <= self.cursor;
        let brought = self.began < self.cursor;
        if !(reached || brought) || matches!(end, Got::Unavailable) {
            self.again = Some(now + AGAIN);
        }
        true
    }

    /// True once nothing further comes.
    pub(super) fn evidence_came(&mut self, part: Part, got: Got, io: &Io<'_>) -> bool {
        match (part, got) {
            (Part::First, Got::Message(found)) => {
                self.first = Some(found.offset);
                false
            }
            (Part::First, Got::Unread(offset, _)) => {
                self.first = Some(offset);
                false
            }
            (Part::First, Got::Nothing) => {
                self.first = Some(u64::MAX);
                true
            }
            (Part::Time, Got::Message(found)) => {
                let age = io.time.saturating_sub(found.message.time);
                self.within = Some(Duration::from_millis(age) + Duration::from_secs(1));
                true
            }
            // It is gone, so its time cannot be told, nor what went with it.
            (Part::Time, Got::Nothing | Got::Unread(..)) => {
                self.within = Some(Duration::MAX);
                true
            }
            (_, Got::Unavailable) => {
                self.again = Some(io.now + AGAIN);
                true
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_rooms::{HistoryLimits, RoomKey, RoomSettings};

    const DAY: Duration = Duration::from_hours(24);

    fn want(within: Option<Duration>, first: Option<u64>) -> Want {
        let settings = RoomSettings {
            history: Some(HistoryLimits {
                max_messages: 10,
                max_age: DAY,
            }),
            ..RoomSettings::default()
        };
        let bookmark = Bookmark {
            room: RoomKey::new("/", "r"),
            settings,
            after: 20,
            within,
        };
        let mut want = Want::new(&bookmark, 0);
        want.first = first;
        want
    }

    #[test]
    fn who_has_caught_up_with_the_recent_messages_does_not_wait() {
        let mut want = want(None, None);
        (want.tail, want.cursor) = (Some(90), 50);
        assert!(want.range_ended(&Got::End, 50, Instant::now()));
        assert_eq!(want.again, None, "the recent messages go on from here");
        want.range_ended(&Got::End, 60, Instant::now());
        assert_eq!(
            want.again, None,
            "the answer brought some, and the next one may bring more"
        );
        want.began = 50;
        want.range_ended(&Got::End, 60, Instant::now());
        assert!(want.again.is_some(), "a replica is behind");
    }

    #[test]
    fn an_older_message_that_is_still_there_proves_that_none_is_gone() {
        assert_eq!(want(None, Some(20)).proof(), Proof::Whole);
        assert_eq!(want(None, Some(3)).proof(), Proof::Whole);
    }

    #[test]
    fn messages_that_cannot_be_too_old_are_there() {
        let (minute, week) = (Some(Duration::from_mins(1)), Some(DAY * 7));
        assert_eq!(want(minute, None).proof(), Proof::Whole);
        assert_eq!(want(week, Some(21)).proof(), Proof::Gone);
        assert_eq!(want(week, Some(u64::MAX)).proof(), Proof::Gone);
    }

    #[test]
    fn who_wants_all_that_is_kept_misses_nothing_that_is_not() {
        for first in [None, Some(21), Some(u64::MAX)] {
            let mut want = want(None, first);
            want.after = 0;
            assert_eq!(want.proof(), Proof::Whole);
        }
    }

    #[test]
    fn what_is_young_may_have_been_purged_with_the_message_that_the_client_has() {
        let mut want = want(Some(Duration::from_mins(1)), None);
        want.last_read = LastRead::Unchecked;
        assert_eq!(want.proof(), Proof::Needs(Part::Read));
        want.within = Some(Duration::MAX);
        want.first = Some(u64::MAX);
        assert_eq!(want.proof(), Proof::Gone);
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        assert_eq!(want(None, None).proof(), Proof::Needs(Part::First));
        let newer = want(None, Some(21));
        assert_eq!(newer.proof(), Proof::Needs(Part::Time));
    }
}
