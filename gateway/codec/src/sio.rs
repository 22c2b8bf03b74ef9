//! Socket.IO packets, revision 5 of the protocol (`docs/socket.io-protocol/v5-current.md` in the
//! socket.io repository, "Packet encoding").
//!
//! [`decode`] splits a packet into its parts and leaves the payload as JSON text; [`args`] and
//! [`ack_args`] read the payload of events and acknowledgements in one pass, their arguments kept
//! as raw JSON. Binary attachments follow a packet as messages of their own and are the caller's
//! to collect; [`placeholders`] says whether the packet refers only to those it announced.

mod args;
mod decode;
mod depth;
mod encode;
mod error;
mod placeholders;
mod text;

pub use args::{Args, RawArgs, ack_args, args, is_reserved};
pub use decode::decode;
pub use encode::{ack, ack_of, connect, connect_error, disconnect, event, event_of};
pub use error::Error;
pub use placeholders::placeholders;
pub use text::text;

/// The namespace of packets that name none.
pub(crate) const MAIN_NAMESPACE: &str = "/";

/// The longest name of a namespace, in bytes, without its query string.
pub const MAX_NAMESPACE: usize = 256;

/// The most binary attachments of one packet. The JavaScript server takes 10 unless told
/// otherwise; older ones had no bound.
pub const MAX_ATTACHMENTS: usize = 32;

/// The most arguments of one event or acknowledgement, so that a small frame cannot ask for much
/// memory.
pub const MAX_ARGS: usize = 128;

/// How deep arrays and objects may nest in a payload, the payload's own array included.
pub const MAX_DEPTH: usize = 127;

/// A packet's kind. The value is the digit on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketType {
    /// Asks for a namespace, or grants it.
    Connect = b'0',
    /// Leaves a namespace.
    Disconnect = b'1',
    /// An event with its arguments.
    Event = b'2',
    /// The answer to an event that asked for one.
    Ack = b'3',
    /// Refuses a namespace.
    ConnectError = b'4',
    /// An event with attachments.
    BinaryEvent = b'5',
    /// An answer with attachments.
    BinaryAck = b'6',
}

/// A packet, its payload still JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What the packet is for.
    pub kind: PacketType,
    /// Begins with a slash; its query string is left out.
    pub namespace: &'a str,
    /// The id of the acknowledgement that is asked for or given. Always there in an ack.
    pub id: Option<u64>,
    /// How many binary messages belong to the packet and follow it.
    pub attachments: usize,
    /// The payload as JSON text, or nothing. Its first character fits the kind; the rest is not
    /// checked yet.
    pub data: &'a str,
}
