//! What is stored of a session, so that it can go on at another gateway.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Decoded, GatewayNumber, WireVersion, decoded};

/// What a gateway has stored under the subject of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEntry<'a> {
    /// The session.
    Session(SessionRecord<'a>),
    /// The session has ended there, or has gone on at another gateway.
    Ended(EndMark<'a>),
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord<'a> {
    /// Its user.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// Its namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// The names of its rooms, and where its messages there began.
    pub rooms: Vec<(Cow<'a, str>, u64)>,
    /// Of those rooms, the ones in which it went on after a message, and up to where it was caught
    /// up with. A position that reaches no further and does not name such a room was written before
    /// that, and says nothing of it. Gateways of 0.1.0 neither write nor read it.
    #[serde(
        borrow,
        default,
        rename = "caughtUp",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub caught_up: Vec<(Cow<'a, str>, u64)>,
    /// How far its client said that it had read when it came: a position.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Cow<'a, str>>,
    /// The least wire version that reads it.
    #[serde(default, skip_serializing_if = "WireVersion::is_first")]
    pub wire: WireVersion,
}

/// What stands in the place of a session that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndMark<'a> {
    /// The claim that put it, where the session went on elsewhere: the number of the gateway that
    /// claimed, a dot, and a number of its own.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
}

impl SessionRecord<'_> {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        // Text and numbers can always be written to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl EndMark<'_> {
    /// That of a claim, which no other one puts.
    pub fn of_claim(gateway: GatewayNumber, claim: u64) -> Self {
        Self {
            by: Some(format!("{gateway}.{claim}").into()),
        }
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        // Text can always be written to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl<'a> SessionEntry<'a> {
    /// Reads what a gateway of any version stored.
    pub fn decode(payload: &'a [u8]) -> Decoded<Self> {
        match decoded::json(payload, |record: &SessionRecord<'_>| record.wire) {
            Decoded::Known(record) => Decoded::Known(Self::Session(record)),
            Decoded::Newer => Decoded::Newer,
            Decoded::Garbage => {
                let mark = serde_json::from_slice(payload).ok();
                Decoded::from(mark).map(Self::Ended)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_back_as_it_was_written() {
        let record = SessionRecord {
            user: "a\"n".into(),
            namespace: "/x".into(),
            rooms: vec![("r\n".into(), 7)],
            caught_up: vec![("r\n".into(), 9)],
            came: Some("0000000000000001-9,0000000000000002:3".into()),
            wire: WireVersion::FIRST,
        };
        let bytes = record.encode();
        let read = SessionEntry::decode(&bytes);
        assert_eq!(read, Decoded::Known(SessionEntry::Session(record)));
    }

    #[test]
    fn an_end_mark_is_no_session() {
        let read = |bytes| SessionEntry::decode(bytes);
        let ended = |mark| Decoded::Known(SessionEntry::Ended(mark));
        assert_eq!(read(b"{}"), ended(EndMark::default()));
        let claimed = EndMark::of_claim(GatewayNumber(10), 7);
        assert_eq!(claimed.encode(), br#"{"by":"0000000a.7"}"#);
        assert_eq!(read(br#"{"by":"0000000a.7"}"#), ended(claimed));
        assert_eq!(read(b""), Decoded::Garbage);
    }

    #[test]
    fn a_session_that_only_newer_versions_read_is_neither_ended_nor_garbage() {
        let newer = br#"{"user":"ann","shards":[1],"wire":9}"#;
        assert_eq!(SessionEntry::decode(newer), Decoded::Newer);
        let more = br#"{"user":"ann","namespace":"/","rooms":[],"more":1}"#;
        assert!(SessionEntry::decode(more).is_known());
    }
}
