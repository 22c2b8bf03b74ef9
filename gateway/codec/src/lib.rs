//! The gateway's wire formats as pure functions: bytes in, packets out, no I/O and no clock.
//!
//! - [`ws`]: WebSocket frames (RFC 6455) with permessage-deflate (RFC 7692).

pub mod ws;
