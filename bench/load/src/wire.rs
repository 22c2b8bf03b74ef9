//! What goes over a connection: WebSocket frames from the client's side, the few packets of
//! the benchmarks in each dialect, and the stamp that a publication carries as its data.
//!
//! Written apart from the gateway's codecs on purpose, so that a mistake in one is seen by the
//! other.

mod centrifugo;
pub(crate) mod dialect;
pub(crate) mod frame;
pub(crate) mod outbox;
pub(crate) mod packet;
pub(crate) mod stamp;
