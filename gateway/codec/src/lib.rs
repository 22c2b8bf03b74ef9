//! The gateway's wire formats as pure functions: bytes in, packets out, no I/O and no clock.
//!
//! - [`ws`]: WebSocket frames (RFC 6455) with permessage-deflate (RFC 7692).
//! - [`eio`]: Engine.IO packets, revision 4 of that protocol.
//! - [`sio`]: Socket.IO packets, revision 5 of that protocol.
//! - [`peer`]: what gateways say to each other about Engine.IO sessions.

pub mod eio;
pub mod peer;
pub mod sio;
pub mod ws;
