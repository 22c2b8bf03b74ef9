//! A session, between its form on the wire and what is taken over of it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use sluice_backbone::{Record, Stored};
use sluice_contract::{Decoded, SessionEntry, SessionRecord, WireVersion};
use sluice_rooms::{Reading, RoomKey};

use crate::Packet;

/// What stands in the place of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The session.
    Session(Found),
    /// It has ended, or nobody wrote such.
    Ended,
    /// A newer version wrote it, and it cannot be read.
    Newer,
}

/// What was read of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) user: Box<str>,
    pub(super) namespace: Box<str>,
    rooms: Vec<(RoomKey, u64)>,
    caught_up: Vec<(RoomKey, u64)>,
    came: Option<Reading>,
}

impl Found {
    /// What is left of it, for a client that has read so far. `None` where its gateway alone could
    /// tell how far that is.
    pub(super) fn record(self, read: Option<&Reading>) -> Option<Record> {
        let mut rooms = self.rooms;
        if let Some(read) = read.filter(|read| self.came.as_ref() != Some(*read)) {
            if read.is_vague() {
                return None;
            }
            for (key, from) in &mut rooms {
                let mut caught_up = self.caught_up.iter().filter(|(room, _)| room == key);
                if !caught_up.any(|(_, through)| read.is_silent_about(key, *through)) {
                    *from = read.in_room(key).max(*from);
                }
            }
        }
        // Its gateway is gone, and its members with it, now or soon.
        let present = false;
        Some(Record { rooms, present })
    }
}

/// Writes a session. Its rooms all belong to its namespace.
pub(in crate::core) fn encode(session: &Stored) -> Bytes {
    let record = SessionRecord {
        user: (&*session.user).into(),
        namespace: (&*session.namespace).into(),
        rooms: by_name(&session.rooms),
        caught_up: by_name(&session.caught_up),
        came: session.came.as_ref().map(|came| came.to_string().into()),
        wire: WireVersion::FIRST,
    };
    record.encode().into()
}

fn by_name(rooms: &[(RoomKey, u64)]) -> Vec<(Cow<'_, str>, u64)> {
    let rooms = rooms.iter();
    rooms
        .map(|(key, offset)| ((&*key.name).into(), *offset))
        .collect()
}

/// Reads what stands in the place of a session.
pub(super) fn decode(payload: &[u8]) -> Entry {
    match SessionEntry::decode(payload) {
        Decoded::Known(SessionEntry::Session(record)) => Entry::Session(found(record)),
        Decoded::Known(SessionEntry::Ended(_)) | Decoded::Garbage => Entry::Ended,
        Decoded::Newer => Entry::Newer,
    }
}

/// Whether it is what a gateway stores of a session, of this version or a newer one.
pub(super) fn is_session(payload: &[u8]) -> bool {
    !matches!(decode(payload), Entry::Ended)
}

fn found(record: SessionRecord<'_>) -> Found {
    let by_key = |rooms: &[(Cow<'_, str>, u64)]| {
        let key = |name: &str| RoomKey::new(&*record.namespace, name);
        rooms
            .iter()
            .map(|(name, offset)| (key(name), *offset))
            .collect()
    };
    Found {
        rooms: by_key(&record.rooms),
        caught_up: by_key(&record.caught_up),
        user: record.user.into(),
        namespace: record.namespace.clone().into(),
        came: record.came.as_deref().and_then(Reading::parse),
    }
}

/// The sequence number under which something was stored; `None` where it was refused.
pub(super) fn sequence(packet: &Packet) -> Option<u64> {
    #[derive(Deserialize)]
    struct Ack {
        seq: u64,
        error: Option<serde::de::IgnoredAny>,
    }
    let ack: Ack = serde_json::from_slice(&packet.payload).ok()?;
    ack.error.is_none().then_some(ack.seq)
}

/// Whether something was refused because another entry stands in its place.
pub(super) fn is_unexpected(packet: &Packet) -> bool {
    #[derive(Deserialize)]
    struct Ack {
        error: Refused,
    }
    #[derive(Deserialize)]
    struct Refused {
        code: u16,
    }
    let ack = serde_json::from_slice::<Ack>(&packet.payload);
    ack.is_ok_and(|ack| ack.error.code == 400)
}

/// The last entry of a subject, as the leader says it.
pub(super) enum Last {
    /// A session, and the sequence number of its entry.
    Session(u64, Found),
    /// An end mark, as it was written.
    Ended(Vec<u8>),
    /// Something of a newer version, which cannot be read.
    Newer,
    Nothing,
    Unavailable,
}

pub(super) fn last(packet: &Packet) -> Last {
    #[derive(Deserialize)]
    struct Reply {
        message: Option<Message>,
        error: Option<Refused>,
    }
    #[derive(Deserialize)]
    struct Message {
        seq: u64,
        #[serde(default)]
        data: String,
    }
    #[derive(Deserialize)]
    struct Refused {
        code: u16,
    }
    let Ok(reply) = serde_json::from_slice::<Reply>(&packet.payload) else {
        return Last::Unavailable;
    };
    if let Some(message) = reply.message {
        let data = STANDARD.decode(message.data).unwrap_or_default();
        return match decode(&data) {
            Entry::Session(found) => Last::Session(message.seq, found),
            Entry::Ended => Last::Ended(data),
            Entry::Newer => Last::Newer,
        };
    }
    match reply.error {
        Some(Refused { code: 404 }) => Last::Nothing,
        _ => Last::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_contract::EndMark;
    use sluice_rooms::{Pid, RoomMark};

    fn session(stored: &Stored) -> Found {
        match decode(&encode(stored)) {
            Entry::Session(found) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_reads_back_as_it_was_written() {
        let stored = Stored {
            session: Pid::random().session(),
            user: "a\"n".into(),
            namespace: "/x".into(),
            rooms: vec![(RoomKey::new("/x", "r\n"), 7)],
            caught_up: vec![(RoomKey::new("/x", "r\n"), 9)],
            came: Reading::parse("0000000000000001-9,0000000000000002:3"),
        };
        let found = session(&stored);
        assert_eq!((&*found.user, &*found.namespace), ("a\"n", "/x"));
        assert_eq!((&found.rooms, &found.came), (&stored.rooms, &stored.came));
        assert_eq!(found.caught_up, stored.caught_up);
        assert!(!found.record(None).unwrap().present);
    }

    #[test]
    fn its_client_goes_on_in_each_room_where_it_says_that_it_is() {
        let (a, b) = (RoomKey::new("/", "a"), RoomKey::new("/", "b"));
        let mut read = Reading::parse("0000000000000001-9").unwrap();
        let came = Some(read.clone());
        let stored = Stored {
            session: Pid::random().session(),
            user: "ann".into(),
            namespace: "/".into(),
            rooms: vec![(a.clone(), 2), (b.clone(), 3)],
            caught_up: Vec::new(),
            came,
        };
        let found = || session(&stored);
        let rooms_of = |read: Option<&Reading>| found().record(read).unwrap().rooms;
        let rooms = |a_to, b_to| vec![(a.clone(), a_to), (b.clone(), b_to)];
        assert_eq!(
            rooms_of(Some(&read)),
            rooms(2, 3),
            "it has got nothing since it came"
        );
        read.hold_back(RoomMark::of(&a), 5);
        assert_eq!(rooms_of(Some(&read)), rooms(5, 9));
        assert_eq!(rooms_of(None), rooms(2, 3));
    }

    #[test]
    fn a_position_from_before_a_room_was_caught_up_with_says_nothing_of_it() {
        let (a, b) = (RoomKey::new("/", "a"), RoomKey::new("/", "b"));
        let stored = Stored {
            session: Pid::random().session(),
            user: "ann".into(),
            namespace: "/".into(),
            rooms: vec![(a.clone(), 2), (b.clone(), 3)],
            caught_up: vec![(b.clone(), 9)],
            came: None,
        };
        let rooms_of = |read: &Reading| session(&stored).record(Some(read)).unwrap().rooms;
        let rooms = |a_to, b_to| vec![(a.clone(), a_to), (b.clone(), b_to)];
        let mut before = Reading::parse("0000000000000001-9").unwrap();
        assert_eq!(rooms_of(&before), rooms(9, 3));
        before.name(RoomMark::of(&b), 6);
        assert_eq!(rooms_of(&before), rooms(9, 6), "it is being caught up with");
        let after = Reading::parse("0000000000000001-10").unwrap();
        assert_eq!(rooms_of(&after), rooms(10, 10));
    }

    #[test]
    fn a_vague_position_is_refused_unless_its_client_came_with_it() {
        let vague = Reading::parse("0000000000000001-9,*4");
        let stored = Stored {
            session: Pid::random().session(),
            user: "ann".into(),
            namespace: "/".into(),
            rooms: vec![(RoomKey::new("/", "a"), 2)],
            caught_up: Vec::new(),
            came: vague.clone(),
        };
        let found = || session(&stored);
        let came = found().record(vague.as_ref()).unwrap();
        assert_eq!(came.rooms, stored.rooms, "it has got nothing since");
        let other = Reading::parse("0000000000000001-9,*5");
        assert_eq!(found().record(other.as_ref()), None);
    }

    #[test]
    fn an_end_mark_is_no_session() {
        assert_eq!(decode(&EndMark::default().encode()), Entry::Ended);
        assert_eq!(decode(b""), Entry::Ended);
    }
}
