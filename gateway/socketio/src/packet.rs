//! Socket.IO packets, whole and framed.

use bytes::Bytes;
use sluice_codec::sio;
use sluice_engineio::Session;
use sluice_net::{Cause, Full, SharedFrame};

/// A packet and the attachments behind it.
#[derive(Debug, Clone)]
pub struct Packet {
    /// The packet itself.
    pub head: SharedFrame,
    /// Its attachments, in order.
    pub attachments: Vec<SharedFrame>,
}

impl Packet {
    /// The frames in the order they are sent.
    pub fn frames(&self) -> impl Iterator<Item = &SharedFrame> + Clone {
        std::iter::once(&self.head).chain(&self.attachments)
    }

    /// Sends the packet whole. A client that has too much waiting is closed as a slow consumer.
    pub fn send<S>(&self, carrier: &Session<S>) {
        if self.try_send(carrier).is_err() {
            carrier.close(Cause::SlowConsumer);
        }
    }

    /// As [`Self::send`], but a packet that does not fit is dropped and said to be. Never a part
    /// of it: a client that misses an attachment cannot read what comes after it.
    pub fn try_send<S>(&self, carrier: &Session<S>) -> Result<(), Full> {
        if self.attachments.is_empty() {
            return carrier.try_send(&self.head);
        }
        carrier.try_send_all(self.frames())
    }
}

/// An event; `args` are JSON texts.
pub fn event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    args: &[&str],
    attachments: &[Bytes],
) -> Packet {
    let head = framed(|out| sio::event(namespace, id, name, args, attachments.len(), out));
    with(head, attachments)
}

/// The answer to an event; `args` are JSON texts.
pub fn ack(namespace: &str, id: u64, args: &[&str], attachments: &[Bytes]) -> Packet {
    let head = framed(|out| sio::ack(namespace, id, args, attachments.len(), out));
    with(head, attachments)
}

/// An event that was written elsewhere: `array` is its name and arguments as one JSON array.
pub fn event_of(namespace: &str, id: Option<u64>, array: &str, attachments: &[Bytes]) -> Packet {
    let head = framed(|out| sio::event_of(namespace, id, array, attachments.len(), out));
    with(head, attachments)
}

/// An answer that was written elsewhere: `array` is its arguments as one JSON array.
pub fn ack_of(namespace: &str, id: u64, array: &str, attachments: &[Bytes]) -> Packet {
    let head = framed(|out| sio::ack_of(namespace, id, array, attachments.len(), out));
    with(head, attachments)
}

pub(crate) fn connect(namespace: &str, sid: &str, pid: Option<&str>) -> SharedFrame {
    framed(|out| sio::connect(namespace, sid, pid, out))
}

pub(crate) fn connect_error(namespace: &str, message: &str, data: Option<&str>) -> SharedFrame {
    let data = data.and_then(|data| serde_json::from_str(data).ok());
    framed(|out| sio::connect_error(namespace, message, data, out))
}

pub(crate) fn disconnect(namespace: &str) -> SharedFrame {
    framed(|out| sio::disconnect(namespace, out))
}

fn with(head: SharedFrame, attachments: &[Bytes]) -> Packet {
    Packet {
        head,
        attachments: attachments.iter().map(|a| SharedFrame::binary(a)).collect(),
    }
}

/// An Engine.IO message (`4`) that `write` fills.
fn framed(write: impl FnOnce(&mut Vec<u8>)) -> SharedFrame {
    let mut out = Vec::with_capacity(256);
    out.push(b'4');
    write(&mut out);
    SharedFrame::new(sluice_codec::ws::Opcode::Text, &out)
}
