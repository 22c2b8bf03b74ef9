//! How far a client has read.

use std::fmt;

use sluice_util::Digest64;

use crate::{Position, RoomKey};

/// The most rooms that a reading names. Their text goes with every message while they are behind.
const MOST: usize = 32;

/// What stands in a reading's text for the rooms that found no place in it.
const MORE: char = '*';

/// A room in a reading: its name is nobody's business who is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomMark(u64);

impl RoomMark {
    /// The mark of a room, the same at every gateway.
    pub fn of(room: &RoomKey) -> Self {
        let parts = [&*room.namespace, "\0", &*room.name];
        Self(Digest64::of_parts(parts).bits())
    }
}

/// How far a client has read, over all rooms with history: everything up to a position, except in
/// the rooms that are named as behind, of which it has everything up to an offset of their own and
/// nothing after that.
///
/// As text it goes with each message. The stock Socket.IO client keeps the last one that it got,
/// and sends it back to recover. So a session can go on wherever what is kept of it is found,
/// whatever the gateway that it was at knew besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    position: Position,
    named: Vec<(RoomMark, u64)>,
    rest: Rest,
}

/// What a reading says of the rooms that are behind and found no place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// No more rooms are behind than are named.
    None,
    /// The gateway that wrote it had delivered so many late messages, and can tell by that.
    Late(u64),
    /// Nobody can tell how far they are read.
    Unknown,
}

impl Reading {
    /// Everything up to a position, in all rooms.
    pub fn of(position: Position) -> Self {
        Self {
            position,
            named: Vec::new(),
            rest: Rest::None,
        }
    }

    /// Everything up to here is read, except in rooms that are behind.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether more rooms are behind than it can name: by itself it does not say how far they are
    /// read.
    pub fn is_vague(&self) -> bool {
        self.rest != Rest::None
    }

    /// Whether no gateway can tell how far all rooms are read.
    pub fn is_lost(&self) -> bool {
        self.rest == Rest::Unknown
    }

    /// Where it is vague, how many late messages the gateway that wrote it had delivered by then:
    /// it can tell by them how far the rooms are read that are not named.
    pub fn late(&self) -> Option<u64> {
        match self.rest {
            Rest::Late(late) => Some(late),
            Rest::None | Rest::Unknown => None,
        }
    }

    /// Notes that by then so many late messages were delivered, where it is vague. What is named
    /// after that and finds no place is unknown.
    pub fn set_late(&mut self, late: u64) {
        if self.is_vague() {
            self.rest = Rest::Late(late);
        }
    }

    /// Whether it names no room.
    pub fn is_even(&self) -> bool {
        self.named.is_empty() && !self.is_vague()
    }

    /// Says that no more is read of a room than up to `offset`, where that is less.
    pub fn hold_back(&mut self, room: RoomMark, offset: u64) {
        if offset < self.position.offset {
            self.name(room, offset);
        }
    }

    /// Says how far a room is read, whether it is behind or not.
    pub fn name(&mut self, room: RoomMark, offset: u64) {
        let at = self.named.iter().position(|(mark, _)| *mark == room);
        match at {
            Some(at) => self.named[at].1 = offset,
            None if self.named.len() < MOST => self.named.push((room, offset)),
            None => self.rest = Rest::Unknown,
        }
    }

    /// How far a room is read that is named.
    pub fn named(&self, room: &RoomKey) -> Option<u64> {
        if self.named.is_empty() {
            return None;
        }
        let room = RoomMark::of(room);
        let named = self.named.iter().find(|(mark, _)| *mark == room);
        named.map(|(_, offset)| *offset)
    }

    /// How far a room is read.
    pub fn in_room(&self, room: &RoomKey) -> u64 {
        self.named(room).unwrap_or(self.position.offset)
    }

    /// Whether it says nothing of a room in which its reader went on after a message, and was caught
    /// up with as far as `caught_up`: it was written before that, since it reaches no further and
    /// does not name the room.
    pub fn is_silent_about(&self, room: &RoomKey, caught_up: u64) -> bool {
        caught_up >= self.position.offset && self.named(room).is_none()
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut reading = Self::of(Position::parse(parts.next()?)?);
        for part in parts {
            match part.strip_prefix(MORE) {
                Some(late) => reading.rest = parse_rest(late)?,
                None => reading.named.push(parse_named(part)?),
            }
        }
        (reading.named.len() <= MOST).then_some(reading)
    }
}

fn parse_rest(text: &str) -> Option<Rest> {
    if text.is_empty() {
        return Some(Rest::Unknown);
    }
    Some(Rest::Late(text.parse().ok()?))
}

fn parse_named(text: &str) -> Option<(RoomMark, u64)> {
    let (mark, offset) = text.split_once(':')?;
    let digits = mark.len() == 16 && mark.bytes().all(|b| b.is_ascii_hexdigit());
    let mark = digits
        .then(|| u64::from_str_radix(mark, 16).ok())
        .flatten()?;
    Some((RoomMark(mark), offset.parse().ok()?))
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position)?;
        for (RoomMark(mark), offset) in &self.named {
            write!(f, ",{mark:016x}:{offset}")?;
        }
        match self.rest {
            Rest::None => Ok(()),
            Rest::Late(late) => write!(f, ",{MORE}{late}"),
            Rest::Unknown => write!(f, ",{MORE}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Epoch;

    fn reading(offset: u64) -> Reading {
        let epoch = Epoch::from_bits(7);
        Reading::of(Position { epoch, offset })
    }

    fn room(name: &str) -> RoomKey {
        RoomKey::new("/", name)
    }

    fn reads_back(reading: &Reading) {
        assert_eq!(Reading::parse(&reading.to_string()).as_ref(), Some(reading));
    }

    #[test]
    fn where_no_room_is_behind_its_text_is_the_position() {
        let even = reading(42);
        assert_eq!(even.to_string(), even.position().to_string());
        assert_eq!(even.in_room(&room("a")), 42);
        reads_back(&even);
    }

    #[test]
    fn a_room_that_is_behind_is_read_up_to_its_own_offset() {
        let mut one = reading(42);
        one.hold_back(RoomMark::of(&room("a")), 7);
        one.hold_back(RoomMark::of(&room("a")), 9);
        one.hold_back(RoomMark::of(&room("b")), 42);
        assert_eq!(one.in_room(&room("a")), 9);
        assert_eq!(one.in_room(&room("b")), 42, "it is not behind");
        assert_eq!(one.in_room(&RoomKey::new("/x", "a")), 42);
        reads_back(&one);
    }

    #[test]
    fn more_rooms_than_it_can_name_make_it_vague() {
        let mut many = reading(42);
        for number in 0..MOST {
            many.hold_back(RoomMark::of(&room(&number.to_string())), 1);
        }
        assert!(!many.is_vague());
        many.set_late(3);
        assert!(!many.is_vague());
        many.hold_back(RoomMark::of(&room("one too many")), 1);
        assert!(many.is_vague() && many.is_lost());
        reads_back(&many);
    }

    #[test]
    fn a_vague_one_says_how_many_late_messages_were_delivered_by_then() {
        let mut many = reading(42);
        for number in 0..=MOST {
            many.hold_back(RoomMark::of(&room(&number.to_string())), 1);
        }
        many.set_late(3);
        assert_eq!((many.late(), many.is_lost()), (Some(3), false));
        assert!(many.is_vague());
        reads_back(&many);
        many.name(RoomMark::of(&room("another reader's")), 1);
        assert!(many.is_lost(), "the late messages say nothing of that one");
    }

    #[test]
    fn the_mark_of_a_room_is_the_same_in_every_version() {
        let mut one = reading(42);
        one.hold_back(RoomMark::of(&room("a")), 7);
        assert_eq!(one.to_string(), "0000000000000007-42,b85cbdfd493eac99:7");
    }

    #[test]
    fn what_is_not_a_reading_is_refused() {
        let even = reading(42).to_string();
        for rest in [
            ",",
            ",:",
            ",a:1",
            ",000000000000000g:1",
            ",0000000000000001:x",
            ",*x",
        ] {
            assert_eq!(Reading::parse(&format!("{even}{rest}")), None, "{rest}");
        }
        let many = ",0000000000000001:1".repeat(MOST + 1);
        assert_eq!(Reading::parse(&format!("{even}{many}")), None);
        assert_eq!(Reading::parse(""), None);
    }

    /// A position of 0.1.0, as clients that were moved from there send it.
    fn sample(name: &str) -> String {
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/samples/0.1.0");
        std::fs::read_to_string(format!("{samples}/{name}")).unwrap()
    }

    #[test]
    fn positions_of_0_1_0_are_read_and_written_as_ever() {
        let even = || {
            let epoch = Epoch::from_bits(0x96c4_3f94_5348_f444);
            Reading::of(Position { epoch, offset: 18 })
        };
        let mut behind = even();
        behind.hold_back(RoomMark::of(&room("a")), 7);
        behind.hold_back(RoomMark::of(&room("team.red")), 17);
        let mut lost = even();
        for number in 0..=MOST {
            lost.hold_back(RoomMark::of(&room(&number.to_string())), 1);
        }
        let mut late = lost.clone();
        late.set_late(3);
        for (name, reading) in [
            ("position.txt", even()),
            ("position-behind.txt", behind),
            ("position-late.txt", late),
            ("position-lost.txt", lost),
        ] {
            let text = sample(name);
            assert_eq!(Reading::parse(&text).as_ref(), Some(&reading), "{name}");
            assert_eq!(reading.to_string(), text, "{name}");
        }
    }
}
