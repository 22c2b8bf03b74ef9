//! A message of a room, between its form on the wire and as workers have it.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use sluice_contract::{Decoded, Envelope};
use sluice_rooms::{Message, RoomKey, SessionId};

/// A message and the gateway that took it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) message: Message,
    pub(crate) gateway: u32,
}

/// Writes a message for others.
pub(crate) fn encode(message: &Message, gateway: u32) -> Bytes {
    let envelope = Envelope {
        event: (&*message.event).into(),
        id: (&*message.id).into(),
        time: message.time,
        from: message.from.as_deref().map(Into::into),
        except: message.except.map(|session| session.to_string().into()),
        gateway,
        data: &message.data,
        attachments: message.attachments.iter().map(|part| &**part).collect(),
    };
    envelope.encode().into()
}

/// Reads a message of `room` that another gateway wrote.
pub(crate) fn decode(room: RoomKey, payload: &[u8], now: Instant) -> Decoded<Received> {
    Envelope::decode(payload).and_then(|envelope| received(room, envelope, now).into())
}

fn received(room: RoomKey, envelope: Envelope<'_>, now: Instant) -> Option<Received> {
    let except = match envelope.except {
        Some(session) => Some(SessionId::parse(&session)?),
        None => None,
    };
    Some(Received {
        gateway: envelope.gateway,
        message: Message {
            room: Some(room),
            event: envelope.event.into(),
            data: envelope.data.into(),
            // Copied, so that a small attachment does not keep all that arrived with it.
            attachments: envelope
                .attachments
                .into_iter()
                .map(Bytes::copy_from_slice)
                .collect(),
            from: envelope.from.map(|from| Arc::from(&*from)),
            id: envelope.id.into(),
            position: None,
            read: None,
            time: envelope.time,
            except,
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
    fn a_message_that_spares_nobody_that_could_be_is_refused() {
        let bytes = b"{\"event\":\"e\",\"id\":\"i\",\"time\":1,\"except\":\"x\",\"sizes\":[1]}\n1";
        let read = decode(RoomKey::new("/", "r"), bytes, Instant::now());
        assert!(matches!(read, Decoded::Garbage));
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
            let read = decode(RoomKey::new("/", "r"), &payload, message.accepted).known().unwrap();
            prop_assert_eq!(read.gateway, 9);
            prop_assert_eq!(format!("{:?}", read.message), format!("{message:?}"));
        }
    }
}
