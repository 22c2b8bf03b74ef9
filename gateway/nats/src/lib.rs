//! The backbone of a fleet: NATS, with JetStream for what is kept.
//!
//! The [`core`] decides: a state machine without input and output, which tests and simulations
//! drive as the network does. The [`link`] carries what it wants sent.

mod backbone;
mod backoff;
pub mod core;
mod envelope;
pub mod link;
mod names;
mod packet;
pub mod streams;

pub use backbone::Nats;
pub use names::{Names, token, untoken};
pub use packet::{Headers, Packet};
