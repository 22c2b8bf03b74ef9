//! The application's backend: what a gateway asks of it, and the two ways to ask.
//!
//! Three things are said to it, whichever way: an [`EventRequest`] that the gateway does not know
//! itself, a [`ConnectRequest`] that asks whether a session may begin, and word of sessions that
//! have [`Disconnected`]. [`Webhook`] posts them over HTTP, signed, and again where that can help;
//! [`NatsBackend`] asks whoever subscribes. [`Backend`] is either.
//!
//! No more requests are under way at once than are allowed, no answer is read beyond its bound, and
//! of ended sessions so many wait as there is room for; the rest is refused, or forgotten, and
//! counted. What goes over the wire is described in `docs/webhook.md` and `docs/backends-over-nats.md`.

mod answer;
mod backend;
mod disconnects;
mod error;
mod metrics;
mod nats;
mod request;
pub mod webhook;

pub use answer::{ConnectAnswer, EventAnswer};
pub use backend::Backend;
pub use error::BackendError;
pub use nats::NatsBackend;
pub use request::{ConnectRequest, Disconnected, EventRequest};
pub use webhook::Webhook;
