//! Packets that the server sends. Each is appended to `out` without Engine.IO's type before it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{MAIN_NAMESPACE, PacketType};

/// Grants a namespace. `pid` is the private id that recovers the session, where that is on.
pub fn connect(namespace: &str, sid: &str, pid: Option<&str>, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Reply<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    head(PacketType::Connect, 0, namespace, None, out);
    json(&Reply { sid, pid }, out);
}

/// Refuses a namespace. The client's `connect_error` event gets an error with this message and
/// data.
pub fn connect_error(namespace: &str, message: &str, data: Option<&RawValue>, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Refusal<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a RawValue>,
    }
    head(PacketType::ConnectError, 0, namespace, None, out);
    json(&Refusal { message, data }, out);
}

/// Ends a namespace. The stock client does not return after this.
pub fn disconnect(namespace: &str, out: &mut Vec<u8>) {
    head(PacketType::Disconnect, 0, namespace, None, out);
}

/// An event. `args` are JSON texts; with `attachments` above 0 it is a binary event, and that
/// many binary messages must follow.
pub fn event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    args: &[&str],
    attachments: usize,
    out: &mut Vec<u8>,
) {
    let kind = if attachments == 0 {
        PacketType::Event
    } else {
        PacketType::BinaryEvent
    };
    head(kind, attachments, namespace, id, out);
    out.push(b'[');
    json(name, out);
    for arg in args {
        out.push(b',');
        out.extend_from_slice(arg.as_bytes());
    }
    out.push(b']');
}

/// An event as it was written elsewhere: `array` is its name and arguments as one JSON array. See
/// [`event`] for the rest.
pub fn event_of(
    namespace: &str,
    id: Option<u64>,
    array: &str,
    attachments: usize,
    out: &mut Vec<u8>,
) {
    let kind = if attachments == 0 {
        PacketType::Event
    } else {
        PacketType::BinaryEvent
    };
    head(kind, attachments, namespace, id, out);
    out.extend_from_slice(array.as_bytes());
}

/// An answer as it was written elsewhere: `array` is its arguments as one JSON array. See [`ack`]
/// for the rest.
pub fn ack_of(namespace: &str, id: u64, array: &str, attachments: usize, out: &mut Vec<u8>) {
    let kind = if attachments == 0 {
        PacketType::Ack
    } else {
        PacketType::BinaryAck
    };
    head(kind, attachments, namespace, Some(id), out);
    out.extend_from_slice(array.as_bytes());
}

/// The answer to the event with this id. `args` are JSON texts; with `attachments` above 0 it is
/// a binary ack, and that many binary messages must follow.
pub fn ack(namespace: &str, id: u64, args: &[&str], attachments: usize, out: &mut Vec<u8>) {
    let kind = if attachments == 0 {
        PacketType::Ack
    } else {
        PacketType::BinaryAck
    };
    head(kind, attachments, namespace, Some(id), out);
    out.push(b'[');
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(arg.as_bytes());
    }
    out.push(b']');
}

fn head(kind: PacketType, attachments: usize, namespace: &str, id: Option<u64>, out: &mut Vec<u8>) {
    out.push(kind as u8);
    if attachments > 0 {
        json(&attachments, out);
        out.push(b'-');
    }
    if namespace != MAIN_NAMESPACE {
        out.extend_from_slice(namespace.as_bytes());
        out.push(b',');
    }
    if let Some(id) = id {
        json(&id, out);
    }
}

fn json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Strings, numbers and raw JSON always have a JSON form, and a Vec takes every write.
    let _ = serde_json::to_writer(out, value);
}
