//! What a session missed: from the recent messages where they reach back, else from the stream.
//!
//! An answer is whole or it is that some may be gone. Whether any are gone is told by what is
//! still there: the oldest messages of a room go first.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{Answer, Bookmark, Delivery, Error, Missed, Reply};
use sluice_rooms::{Epoch, Message, SessionId};
use tokio::sync::oneshot;

use super::{
    Ask, Io, Kept, is_due, later,
    reading::{self, BATCH, Found, Got, Leader, Stream},
};
use crate::{
    Packet,
    names::{self, Place},
};

/// How long a session waits for what it missed.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long after an answer that was not complete it is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// The most messages that one session can be given.
const MOST: usize = 100_000;

/// A part of what has to be known of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The last message that the leader has.
    Tail,
    /// The oldest message that is still there.
    First,
    /// When the message was taken after which the session wants all.
    Time,
    /// The messages themselves.
    Range,
}

/// One room of a wish.
#[derive(Debug)]
struct Want {
    place: Place,
    after: u64,
    /// Whether the room has a history; else nothing is missed there.
    kept: bool,
    /// How long ago the first missed message was published at most.
    within: Option<Duration>,
    max_age: Duration,
    max_messages: usize,
    /// Everything up to here is read.
    cursor: u64,
    /// Where the last answer began.
    began: u64,
    read: Vec<Arc<Message>>,
    tail: Option<u64>,
    /// The oldest message that is there, once that is known; the greatest number if none is.
    first: Option<u64>,
    /// Whether none is too old to be there.
    proven: bool,
    /// Whether the answer that is awaited has shown that nothing is gone before it.
    joined: bool,
    asked: Vec<Part>,
    /// When the rest is read; none while an answer is awaited.
    again: Option<Instant>,
}

#[derive(Debug)]
struct Wish {
    worker: usize,
    of: SessionId,
    wants: Vec<Want>,
    tell: oneshot::Sender<Result<Missed, Error>>,
    until: Instant,
}

/// The sessions that wait for what they missed.
#[derive(Debug, Default)]
pub(super) struct Missing {
    last: u64,
    wishes: BTreeMap<u64, Wish>,
}

impl Missing {
    pub(super) fn len(&self) -> usize {
        self.wishes.len()
    }
}

/// How far a room's part is.
enum Progress {
    Ready,
    Waiting,
    Failed(Error),
}

impl Kept {
    /// What a session missed in its rooms with history.
    pub(crate) fn missed(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        bookmarks: &[Bookmark],
        of: SessionId,
    ) -> Reply<Missed> {
        let (tell, told) = oneshot::channel();
        self.missing.last += 1;
        let id = self.missing.last;
        let wish = Wish {
            worker,
            of,
            wants: bookmarks.iter().map(Want::new).collect(),
            tell,
            until: io.now + PATIENCE,
        };
        self.missing.wishes.insert(id, wish);
        self.pursue(io, id);
        later(told)
    }

    /// Asks for what is still needed, and answers once nothing is.
    fn pursue(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(mut wish) = self.missing.wishes.remove(&id) else {
            return;
        };
        let mut ready = true;
        for at in 0..wish.wants.len() {
            match self.further(io, &mut wish.wants[at], (id, at)) {
                Progress::Ready => {}
                Progress::Waiting => ready = false,
                Progress::Failed(error) => return tell(io, wish, Err(error)),
            }
        }
        if ready {
            let missed = self.gather(&wish);
            tell(io, wish, missed);
        } else {
            self.missing.wishes.insert(id, wish);
        }
    }

    fn further(&mut self, io: &mut Io<'_>, want: &mut Want, of: (u64, usize)) -> Progress {
        if !want.kept {
            return Progress::Ready;
        }
        let Some(room) = self.rooms.get_mut(&want.place) else {
            return Progress::Failed(Error::Unavailable);
        };
        if !room.is_followed() || want.again.is_some() {
            return Progress::Waiting;
        }
        if want.after >= room.floor {
            return Progress::Ready;
        }
        let Some(tail) = room.tail.or(want.tail) else {
            return Self::ask_part(io, want, of, Part::Tail);
        };
        if tail <= room.floor {
            room.tail = Some(tail);
        }
        let floor = room.floor;
        let has_all = tail != 0 && tail <= want.after;
        if !want.proven && !has_all {
            match want.proof() {
                Proof::Whole => want.proven = true,
                Proof::Gone => return Progress::Failed(Error::Gone),
                Proof::Needs(part) => return Self::ask_part(io, want, of, part),
            }
        }
        if want.cursor >= floor || tail <= want.cursor {
            want.cursor = want.cursor.max(floor);
            return Progress::Ready;
        }
        if want.read.len() > MOST {
            return Progress::Failed(Error::Gone);
        }
        Self::ask_part(io, want, of, Part::Range)
    }

    fn ask_part(io: &mut Io<'_>, want: &mut Want, (id, at): (u64, usize), part: Part) -> Progress {
        if want.asked.contains(&part) {
            return Progress::Waiting;
        }
        want.asked.push(part);
        let subject = io.names.subject("in", &want.place);
        let (to, body) = match part {
            Part::Tail => (
                reading::leader_subject(io.names),
                reading::last_by(&subject),
            ),
            Part::First => {
                let body = reading::from_offset(&subject, 1, 1);
                (reading::batch_subject(io.names), body)
            }
            Part::Time => (
                reading::batch_subject(io.names),
                reading::exactly(want.after),
            ),
            Part::Range => {
                want.joined = false;
                want.began = want.cursor;
                // From the last one that is known: if it is there, nothing is gone after it.
                let body = reading::from_offset(&subject, want.cursor.max(1), BATCH);
                (reading::batch_subject(io.names), body)
            }
        };
        Self::ask(io, to, body, Ask::Missed(id, at, part));
        Progress::Waiting
    }

    pub(super) fn missed_part(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        (id, at, part): (u64, usize, Part),
        packet: &Packet,
    ) {
        let epoch = self.epoch;
        let wish = self.missing.wishes.get_mut(&id);
        let Some(want) = wish.and_then(|wish| wish.wants.get_mut(at)) else {
            return io.requests.close(request);
        };
        let room = self.rooms.get(&want.place);
        let floor = room.map_or(0, |room| room.floor);
        let over = match (part, epoch) {
            (Part::Tail, _) => want.tail_came(packet, io.now),
            (_, None) => true,
            (Part::Range, Some(epoch)) => match reading::got(io.names, packet, io.now) {
                Got::Message(found) => {
                    if want.is_gone_before(&found, self.stream) {
                        io.requests.close(request);
                        return self.fail_wish(io, id, Error::Gone);
                    }
                    want.range_came(*found, floor, epoch);
                    false
                }
                Got::Malformed(offset) => {
                    want.cursor = want.cursor.max(offset.min(floor));
                    false
                }
                end => want.range_ended(&end, floor, io.now),
            },
            (_, Some(_)) => want.evidence_came(part, reading::got(io.names, packet, io.now), io),
        };
        if over {
            io.requests.close(request);
            want.asked.retain(|asked| *asked != part);
            self.pursue(io, id);
        }
    }

    fn fail_wish(&mut self, io: &Io<'_>, id: u64, error: Error) {
        if let Some(wish) = self.missing.wishes.remove(&id) {
            tell(io, wish, Err(error));
        }
    }

    pub(super) fn missed_later(&mut self, io: &mut Io<'_>, id: u64, at: usize, part: Part) {
        let wish = self.missing.wishes.get_mut(&id);
        if let Some(want) = wish.and_then(|wish| wish.wants.get_mut(at)) {
            want.asked.retain(|asked| *asked != part);
            want.again = Some(io.now + AGAIN);
        }
    }

    pub(super) fn missed_if_due(&mut self, io: &mut Io<'_>) {
        let ids: Vec<_> = self.missing.wishes.keys().copied().collect();
        for id in ids {
            let Some(wish) = self.missing.wishes.get_mut(&id) else {
                continue;
            };
            if wish.until <= io.now {
                if let Some(wish) = self.missing.wishes.remove(&id) {
                    tell(io, wish, Err(Error::Unavailable));
                }
                continue;
            }
            for want in &mut wish.wants {
                if io.connected && is_due(want.again, io.now) {
                    want.again = None;
                }
            }
            self.pursue(io, id);
        }
    }

    /// Everything is there: puts it together, as of this moment.
    fn gather(&mut self, wish: &Wish) -> Result<Missed, Error> {
        let mut messages = Vec::new();
        let mut through = Vec::with_capacity(wish.wants.len());
        for want in &wish.wants {
            if !want.kept {
                through.push(want.after);
                continue;
            }
            let room = self.rooms.get(&want.place).ok_or(Error::Unavailable)?;
            let before = messages.len();
            messages.extend(want.read.iter().cloned());
            messages.extend(room.recent_after(want.cursor).cloned());
            // The stream keeps as many as the largest Room asks for; others have theirs here.
            if messages.len() - before > want.max_messages {
                return Err(Error::Gone);
            }
            through.push(room.head.max(want.after));
        }
        messages.retain(|message| message.except != Some(wish.of));
        messages.sort_by_key(|message| message.offset());
        for message in &mut messages {
            in_order(message);
        }
        // From the stream may come what is ahead of all that was delivered here. Its reader must
        // not go back with what comes then.
        let last = messages.last().map_or(0, |message| message.offset());
        self.watermark = self.watermark.max(last);
        Ok(Missed { messages, through })
    }
}

/// Among others in their order a message is not late, whatever it was when it came.
fn in_order(message: &mut Arc<Message>) {
    if message.read_to.is_some() {
        Arc::make_mut(message).read_to = None;
    }
}

fn tell(io: &Io<'_>, wish: Wish, missed: Result<Missed, Error>) {
    let Wish { worker, tell, .. } = wish;
    let answer = Answer::new(move || {
        // Whoever waited may be gone.
        let _ = tell.send(missed);
    });
    io.sink.deliver(worker, Delivery::Answer(answer));
}

/// Whether nothing is gone of what a session wants.
#[derive(Debug, PartialEq, Eq)]
enum Proof {
    Whole,
    Gone,
    Needs(Part),
}

impl Want {
    fn new(bookmark: &Bookmark) -> Self {
        let history = bookmark.settings.history;
        Self {
            place: names::place(&bookmark.room),
            after: bookmark.after,
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
            joined: false,
            asked: Vec::new(),
            again: None,
        }
    }

    /// None is too old to be there where the wanted ones are younger than the room keeps them, or
    /// a message before them is still there, since the oldest go first.
    fn proof(&self) -> Proof {
        if self.within.is_some_and(|within| within < self.max_age) {
            return Proof::Whole;
        }
        match (self.first, self.within) {
            (None, _) => Proof::Needs(Part::First),
            (Some(first), _) if first <= self.after => Proof::Whole,
            (_, Some(_)) => Proof::Gone,
            (_, None) => Proof::Needs(Part::Time),
        }
    }

    fn tail_came(&mut self, packet: &Packet, now: Instant) -> bool {
        match reading::leader(packet) {
            Leader::Has(offset) => self.tail = Some(offset),
            Leader::Nothing => self.tail = Some(0),
            Leader::Unavailable => self.again = Some(now + AGAIN),
        }
        true
    }

    /// Whether some may be gone before the first message of an answer.
    fn is_gone_before(&mut self, found: &Found, stream: Stream) -> bool {
        !std::mem::replace(&mut self.joined, true) && !found.follows(self.cursor, stream)
    }

    fn range_came(&mut self, found: Found, floor: u64, epoch: Epoch) {
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
    fn range_ended(&mut self, end: &Got, floor: u64, now: Instant) -> bool {
        let reached = self.tail.is_some_and(|tail| tail <= self.cursor) || floor <= self.cursor;
        let brought = self.began < self.cursor;
        if !(reached || brought) || matches!(end, Got::Unavailable) {
            self.again = Some(now + AGAIN);
        }
        true
    }

    /// True once nothing further comes.
    fn evidence_came(&mut self, part: Part, got: Got, io: &Io<'_>) -> bool {
        match (part, got) {
            (Part::First, Got::Message(found)) => {
                self.first = Some(found.offset);
                false
            }
            (Part::First, Got::Malformed(offset)) => {
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
            (Part::Time, Got::Nothing | Got::Malformed(_)) => {
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
        let mut want = Want::new(&bookmark);
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
    fn what_is_not_known_is_asked_for() {
        assert_eq!(want(None, None).proof(), Proof::Needs(Part::First));
        let newer = want(None, Some(21));
        assert_eq!(newer.proof(), Proof::Needs(Part::Time));
    }
}
