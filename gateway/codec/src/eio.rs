//! Engine.IO packets, revision 4 of the protocol (`docs/engine.io-protocol/v4-current.md` in the
//! socket.io repository, "Packet encoding").
//!
//! A WebSocket text frame is one packet. A polling body is packets joined by [`SEPARATOR`]; a
//! binary message is base64 there, and a binary frame on a WebSocket.

mod decode;
mod encode;

pub use decode::{Error, decode, payload};
pub use encode::{Open, encode, encode_binary, open};

use bytes::Bytes;

/// What stands between the packets of a polling body. Text that contains it does not survive
/// polling; JSON never does.
pub const SEPARATOR: u8 = 0x1e;

/// A packet's kind. The value is the digit on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketType {
    /// The server's handshake.
    Open = b'0',
    /// The transport can be closed.
    Close = b'1',
    /// A heartbeat from the server, or a client's probe.
    Ping = b'2',
    /// The answer to a ping, with its data.
    Pong = b'3',
    /// Data of the layer above.
    Message = b'4',
    /// The client has moved to this transport.
    Upgrade = b'5',
    /// Nothing; ends a poll that waits.
    Noop = b'6',
}

/// One packet. Binary data only occurs in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What the packet is for.
    pub kind: PacketType,
    /// What it carries, often the empty text.
    pub data: Data<'a>,
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    /// Text, borrowed from the frame or body.
    Text(&'a str),
    /// Bytes, unpacked from base64.
    Binary(Bytes),
}
