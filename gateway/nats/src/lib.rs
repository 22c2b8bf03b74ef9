//! The backbone of a fleet: NATS, with JetStream for what is kept.
//!
//! The [`core`] decides: a state machine without input and output, which tests and simulations
//! drive as the network does. The [`link`] carries what it wants sent.

mod backbone;
pub mod core;
mod envelope;
pub mod link;
mod names;
mod packet;
pub mod streams;

use std::time::Duration;

use sluice_util::Backoff;

pub use backbone::Nats;
pub use names::{Names, token, untoken};
pub use packet::{Headers, Packet};

/// The waits before something is tried again, at NATS or at another gateway: many gateways that
/// lost one server do not come back as one.
const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_millis(50), Duration::from_secs(2)).spread(0.5, 1.0);
