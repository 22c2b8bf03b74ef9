//! What goes over a connection: WebSocket frames from the client's side, the few Engine.IO and
//! Socket.IO packets of the benchmarks, and the stamp that a publication carries as its data.
//!
//! Written apart from the gateway's codecs on purpose, so that a mistake in one is seen by the
//! other.

pub(crate) mod frame;
pub(crate) mod outbox;
pub(crate) mod packet;
pub(crate) mod stamp;
