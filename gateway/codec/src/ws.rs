//! WebSocket frames of the server side: RFC 6455 with permessage-deflate (RFC 7692).
//!
//! [`Decoder`] turns bytes from a client into [`Event`]s; [`encode`] and its siblings build the
//! frames a server sends. Nothing here opens, answers or closes a connection: the caller answers
//! a ping with a pong, a close with a close, and a [`ProtocolError`] with [`close`].

mod decoder;
mod deflate;
mod encode;
mod error;
mod event;
mod header;
mod mask;
mod oversized;
mod partial;

pub use decoder::Decoder;
pub use encode::{close, encode, encode_deflated, encode_into, header};
pub use error::ProtocolError;
pub use event::Event;
pub use oversized::Oversized;

/// A frame's kind (RFC 6455, section 5.2). The value is the opcode on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message that an earlier frame began.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The end of the connection.
    Close = 8,
    /// A question whether the peer is alive.
    Ping = 9,
    /// The answer to a ping.
    Pong = 10,
}

impl Opcode {
    /// Control frames are short, whole, and may stand between the fragments of a message
    /// (RFC 6455, section 5.5).
    pub(crate) const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}
