//! The application's backend over HTTP: events that the gateway does not know itself, questions
//! whether a session may connect, and word of sessions that ended.
//!
//! Requests are JSON, signed, and repeated under one delivery id where that can help. A backend
//! that fails is left alone for a while by a [`Circuit`], and no more requests are under way at
//! once than it was said to bear. What goes over the wire is described in `docs/webhook.md`.

mod answer;
mod call;
mod circuit;
mod config;
mod disconnects;
mod error;
mod metrics;
mod pause;
mod post;
mod request;
mod signature;
mod target;
mod webhook;

pub use answer::{Answer, Connect};
pub use circuit::{Admission, Circuit, CircuitSettings, Ticket};
pub use config::{Config, ConfigError, MIN_SECRET_BYTES};
pub use disconnects::{Batch, Queue};
pub use error::WebhookError;
pub use request::{Body, ConnectRequest, Disconnected, EventRequest};
pub use webhook::{SetupError, Webhook};
