//! What the gateway and the operator show in the same way to whoever runs them: log lines ([`log`]),
//! and the port for health and metrics ([`port`]).
//!
//! Log lines go to standard error, as text or as one JSON object a line, and the port is served
//! until the process ends. Metrics that cannot be written are an error in the log and an answer
//! with the status 500, and never part of a page.
//!
//! ```
//! use prometheus::{IntCounter, Registry};
//!
//! let registry = Registry::new();
//! let messages = IntCounter::new("messages_total", "Messages that were published.").unwrap();
//! registry.register(Box::new(messages.clone())).unwrap();
//! messages.inc();
//! let page = sluice_ops::port::text(&registry).unwrap();
//! assert!(String::from_utf8(page).unwrap().ends_with("messages_total 1\n"));
//! ```

pub mod log;
pub mod panics;
pub mod port;
