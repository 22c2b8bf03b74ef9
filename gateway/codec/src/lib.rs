//! The gateway's wire formats as pure functions: bytes in, packets out, no I/O and no clock.
//!
//! - [`ws`]: WebSocket frames (RFC 6455) with permessage-deflate (RFC 7692).
//! - [`eio`]: Engine.IO packets, revision 4 of that protocol.
//! - [`sio`]: Socket.IO packets, revision 5 of that protocol.

pub mod eio;
pub mod sio;
pub mod ws;
