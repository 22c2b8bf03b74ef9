//! The client protocol of NATS as pure functions: bytes in, operations out, and back; no I/O and
//! no clock.
//!
//! [`Decoder`] reads what a server sends, [`encode`] writes what a client sends.

mod decode;
pub mod encode;
mod fields;
mod info;

use crate::Packet;

pub use self::{
    decode::{Decoder, MAX_LINE, MAX_MESSAGE, ProtocolError},
    info::ServerInfo,
};

/// What a server sends.
#[derive(Debug, Clone)]
pub enum Operation {
    /// `INFO`: what the server is, at first and whenever that changes.
    Info(Box<ServerInfo>),
    /// `MSG` or `HMSG`: a message for the subscription of this number.
    Message(u64, Packet),
    /// `PING`: it wants a `PONG`.
    Ping,
    /// `PONG`: it has seen everything that was sent before the `PING`.
    Pong,
    /// `+OK`, which comes only where it was asked for.
    Ok,
    /// `-ERR`, without its quotes.
    Error(String),
}
