//! A message of a room as it goes over NATS: a line of JSON, then its data and attachments.
//!
//! The line says how long each of what follows is, so that the data is found without reading it
//! and attachments need no encoding. The forms of every version begin with such a line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Decoded, WireVersion, decoded};

/// The most attachments of a message.
pub const MAX_ATTACHMENTS: usize = 64;

/// The most bytes of a message that NATS servers take unless told otherwise: their `max_payload`.
pub const USUAL_MAX_PAYLOAD: usize = 1024 * 1024;

/// What a message of a client takes at most in NATS beside what the client sent, in bytes: its
/// names, ids and numbers, and the headers with which it is stored.
pub const ENVELOPE_BYTES: usize = 4096;

/// A message of a room, without the room: the subject says that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The event's name.
    pub event: Cow<'a, str>,
    /// The message's id.
    pub id: Cow<'a, str>,
    /// When it was accepted, in milliseconds since 1970.
    pub time: u64,
    /// The publishing user, if it was one.
    pub from: Option<Cow<'a, str>>,
    /// The public id of the session that must not get it, if one must not.
    pub except: Option<Cow<'a, str>>,
    /// The number of the gateway that took it.
    pub gateway: u32,
    /// Its data: JSON.
    pub data: &'a str,
    /// Its attachments.
    pub attachments: Vec<&'a [u8]>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    time: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    except: Option<Cow<'a, str>>,
    #[serde(default)]
    gateway: u32,
    /// The length of the data, then those of the attachments, in bytes.
    sizes: Vec<usize>,
    #[serde(default, skip_serializing_if = "WireVersion::is_first")]
    wire: WireVersion,
}

impl<'a> Envelope<'a> {
    /// Writes it, in the form of the first wire version.
    pub fn encode(self) -> Vec<u8> {
        let attachments = self.attachments.iter().map(|part| part.len());
        let head = Head {
            event: self.event,
            id: self.id,
            time: self.time,
            from: self.from,
            except: self.except,
            gateway: self.gateway,
            sizes: std::iter::once(self.data.len())
                .chain(attachments)
                .collect(),
            wire: WireVersion::FIRST,
        };
        let mut bytes = Vec::with_capacity(self.data.len() + 256);
        // Text and numbers can always be written to memory.
        let _ = serde_json::to_writer(&mut bytes, &head);
        bytes.push(b'\n');
        bytes.extend_from_slice(self.data.as_bytes());
        for attachment in self.attachments {
            bytes.extend_from_slice(attachment);
        }
        bytes
    }

    /// Reads what a gateway of any version wrote. It borrows from the bytes.
    pub fn decode(payload: &'a [u8]) -> Decoded<Self> {
        let Some(end) = payload.iter().position(|byte| *byte == b'\n') else {
            return Decoded::Garbage;
        };
        let (line, rest) = payload.split_at(end);
        decoded::json(line, |head: &Head<'_>| head.wire)
            .and_then(|head| Self::of(head, &rest[1..]).into())
    }

    fn of(head: Head<'a>, mut rest: &'a [u8]) -> Option<Self> {
        if head.sizes.len() > MAX_ATTACHMENTS + 1 {
            return None;
        }
        let mut parts = Vec::with_capacity(head.sizes.len());
        for size in &head.sizes {
            let (part, after) = rest.split_at_checked(*size)?;
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() || parts.is_empty() {
            return None;
        }
        let data = parts.remove(0);
        Some(Self {
            event: head.event,
            id: head.id,
            time: head.time,
            from: head.from,
            except: head.except,
            gateway: head.gateway,
            data: std::str::from_utf8(data).ok()?,
            attachments: parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_writes_is_refused() {
        for bytes in [
            &b""[..],
            b"\n",
            b"{}\n",
            b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[]}\n",
            b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[2]}\n1",
            b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[1]}\n12",
            b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[1]}\n\xff",
            b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[18446744073709551615]}\n1",
        ] {
            assert_eq!(Envelope::decode(bytes), Decoded::Garbage, "{bytes:?}");
        }
    }

    #[test]
    fn a_form_that_only_newer_versions_read_is_told_from_garbage() {
        let newer = b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[1],\"wire\":9}\n1";
        assert_eq!(Envelope::decode(newer), Decoded::Newer);
        assert_eq!(Envelope::decode(b"{\"wire\":9}\n\xff"), Decoded::Newer);
        let more = b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"sizes\":[1],\"more\":9}\n1";
        assert!(Envelope::decode(more).is_known());
    }

    proptest! {
        #[test]
        fn a_message_reads_back_as_it_was_written(
            event in ".{1,16}", data in ".{0,64}", from in proptest::option::of(".{0,16}"),
            attachments in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..32), 0..4),
        ) {
            let envelope = Envelope {
                event: event.into(),
                id: "id".into(),
                time: 7,
                from: from.map(Cow::from),
                except: Some("AAECAwQFBgcICQoL".into()),
                gateway: 9,
                data: &data,
                attachments: attachments.iter().map(Vec::as_slice).collect(),
            };
            let bytes = envelope.clone().encode();
            prop_assert_eq!(Envelope::decode(&bytes), Decoded::Known(envelope));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::decode(&bytes);
        }
    }
}
