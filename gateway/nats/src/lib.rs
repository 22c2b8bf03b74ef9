//! The backbone of a fleet: NATS, with JetStream for what is kept.
//!
//! [`Nats`] is the [`Backbone`](sluice_backbone::Backbone). Inside, the [`core`] decides: a state
//! machine without input and output, which tests and simulations drive as the network does. The
//! [`link`] carries what it wants sent; it is one connection for any number of subscriptions, and
//! [`Names`](sluice_contract::Names) says how they are called.
//!
//! What is lost on the way is noticed by the stream's own numbers, and read again or told; nothing
//! is delivered twice, and no answer that carries an offset is given before what comes before it.
//!
//! ```no_run
//! use sluice_contract::Names;
//! use sluice_nats::{
//!     Packet,
//!     link::{Handler, NO_HEADERS, Options, ServerInfo, link},
//! };
//!
//! struct Printer;
//!
//! impl Handler for Printer {
//!     fn connected(&mut self, server: &ServerInfo) {
//!         println!("connected to {}", server.server_name);
//!     }
//!
//!     fn disconnected(&mut self, why: &str) {
//!         println!("not connected: {why}");
//!     }
//!
//!     fn message(&mut self, message: Packet) {
//!         println!("{}: {} bytes", message.subject(), message.payload.len());
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let names = Names::new("default", "chat");
//! let (link, task) = link(Options::new(vec!["nats://127.0.0.1:4222".parse()?], "example"))?;
//! tokio::spawn(task.run(Printer));
//! // Subscriptions hold over every reconnect; what is published without a connection is refused.
//! link.subscribe(&names.heartbeats());
//! link.publish(&names.heartbeats(), None, NO_HEADERS, b"{}")?;
//! link.close().await;
//! # Ok(())
//! # }
//! ```

mod backbone;
pub mod core;
mod envelope;
pub mod link;
mod names;
mod packet;
mod pauses;
pub mod streams;

use std::time::Duration;

use sluice_util::Backoff;

pub use backbone::Nats;
pub use packet::{Headers, Packet};

/// The waits before something is tried again, at NATS or at another gateway: many gateways that
/// lost one server do not come back as one.
const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_millis(50), Duration::from_secs(2)).spread(0.5, 1.0);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::BACKOFF;

    #[test]
    fn waits_double_up_to_two_seconds_and_are_halved_by_chance() {
        let longest = |failures| BACKOFF.delay(failures, 1.0);
        let millis = [50, 100, 200, 400, 800, 1600, 2000, 2000];
        for (failures, millis) in (0..).zip(millis) {
            assert_eq!(longest(failures), Duration::from_millis(millis));
            assert_eq!(BACKOFF.delay(failures, 0.0), longest(failures) / 2);
        }
    }
}
