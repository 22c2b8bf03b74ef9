//! A message of a room as it goes over NATS: a line of JSON, then its data and attachments.
//!
//! The line says how long each of what follows is, so that the data is found without reading it
//! and attachments need no encoding.

use std::{borrow::Cow, sync::Arc, time::Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice_rooms::{Message, RoomKey, SessionId};

/// The most attachments of a message.
const MAX_ATTACHMENTS: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    time: u64,
    /// The publishing user.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
    /// The session that must not get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    except: Option<SessionId>,
    /// The gateway that took it.
    #[serde(default)]
    gateway: u32,
    /// The length of the data, then those of the attachments, in bytes.
    sizes: Vec<usize>,
}

/// A message and the gateway that took it.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) message: Message,
    pub(crate) gateway: u32,
}

/// Writes a message for others.
pub(crate) fn encode(message: &Message, gateway: u32) -> Bytes {
    let attachments = message.attachments.iter().map(Bytes::len);
    let head = Head {
        event: (&*message.event).into(),
        id: (&*message.id).into(),
        time: message.time,
        from: message.from.as_deref().map(Cow::from),
        except: message.except,
        gateway,
        sizes: std::iter::once(message.data.len())
            .chain(attachments)
            .collect(),
    };
    let mut bytes = Vec::with_capacity(message.data.len() + 256);
    // Text and numbers can always be written to memory.
    let _ = serde_json::to_writer(&mut bytes, &head);
    bytes.push(b'\n');
    bytes.extend_from_slice(message.data.as_bytes());
    for attachment in &message.attachments {
        bytes.extend_from_slice(attachment);
    }
    bytes.into()
}

/// Reads a message of `room` that another gateway wrote; `None` where nobody writes such.
pub(crate) fn decode(room: RoomKey, payload: &Bytes, now: Instant) -> Option<Envelope> {
    let end = payload.iter().position(|byte| *byte == b'\n')?;
    let head: Head<'_> = serde_json::from_slice(payload.get(..end)?).ok()?;
    if head.sizes.len() > MAX_ATTACHMENTS + 1 {
        return None;
    }
    let mut rest = payload.slice(end + 1..);
    let mut parts = Vec::with_capacity(head.sizes.len());
    for size in &head.sizes {
        if *size > rest.len() {
            return None;
        }
        parts.push(rest.split_to(*size));
    }
    if !rest.is_empty() || parts.is_empty() {
        return None;
    }
    let data = parts.remove(0);
    Some(Envelope {
        gateway: head.gateway,
        message: Message {
            room: Some(room),
            event: head.event.into(),
            data: std::str::from_utf8(&data).ok()?.into(),
            // Copied, so that a small attachment does not keep all that arrived with it.
            attachments: parts
                .iter()
                .map(|part| Bytes::copy_from_slice(part))
                .collect(),
            from: head.from.map(|from| Arc::from(&*from)),
            id: head.id.into(),
            position: None,
            read: None,
            time: head.time,
            except: head.except,
            accepted: now,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sluice_rooms::Pid;

    fn message(event: &str, data: &str, attachments: Vec<Bytes>, from: Option<&str>) -> Message {
        Message {
            room: Some(RoomKey::new("/", "r")),
            event: event.into(),
            data: data.into(),
            attachments,
            from: from.map(Arc::from),
            id: "id".into(),
            position: None,
            read: None,
            time: 7,
            except: Some(Pid::random().session()),
            accepted: Instant::now(),
        }
    }

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
            let payload = Bytes::from_static(bytes);
            let read = decode(RoomKey::new("/", "r"), &payload, Instant::now());
            assert!(read.is_none(), "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn a_message_reads_back_as_it_was_written(
            event in ".{1,16}", data in ".{0,64}", from in proptest::option::of(".{0,16}"),
            attachments in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..32), 0..4),
        ) {
            let attachments: Vec<Bytes> = attachments.into_iter().map(Bytes::from).collect();
            let message = message(&event, &data, attachments, from.as_deref());
            let payload = encode(&message, 9);
            let read = decode(RoomKey::new("/", "r"), &payload, message.accepted).unwrap();
            prop_assert_eq!(read.gateway, 9);
            prop_assert_eq!(format!("{:?}", read.message), format!("{message:?}"));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(RoomKey::new("/", "r"), &bytes.into(), Instant::now());
        }
    }
}
