//! The application's backend: what a gateway asks of it, and the two ways to ask.
//!
//! Three things are said to it, whichever way: an [`EventRequest`] that the gateway does not know
//! itself, a [`ConnectRequest`] that asks whether a session may begin, and word of sessions that
//! have [`Disconnected`]. [`Webhook`] posts them over HTTP, signed, and again where that can help;
//! [`NatsBackend`] asks whoever subscribes. [`Backend`] is either.
//!
//! No more requests are under way at once than are allowed, no answer is read beyond its bound, and
//! of ended sessions so many wait as there is room for; the rest is refused, or forgotten, and
//! counted. What goes over the wire is described in `docs/webhook.md` and
//! `docs/backends-over-nats.md`.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Json, Router, routing::post};
//! use serde_json::{Value, json, value::RawValue};
//! use sluice_backend::{EventRequest, Webhook, webhook::Config};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An application that answers each event with what it was sent.
//! let echo = async |Json(asked): Json<Value>| Json(json!({"data": asked["data"]}));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("http://{}/sluice", listener.local_addr()?);
//! let application = Router::new().route("/sluice", post(echo));
//! tokio::spawn(async move { axum::serve(listener, application).await });
//!
//! let config = Config::new(&url, b"a secret of theirs", Duration::from_secs(10))?;
//! let runtime = tokio::runtime::Handle::current();
//! let webhook = Webhook::new(config, runtime, &prometheus::Registry::new())?;
//! let order = EventRequest {
//!     namespace: "/".into(),
//!     event: "order".into(),
//!     user: "ann".into(),
//!     session: sluice_rooms::Pid::random().session(),
//!     session_data: None,
//!     data: RawValue::from_string(r#"{"item":7}"#.into())?,
//!     attachments: Vec::new(),
//!     ack_expected: true,
//! };
//! assert_eq!(webhook.event(order).await?.data.get(), r#"{"item":7}"#);
//! # Ok(())
//! # }
//! ```

mod answer;
mod backend;
mod disconnects;
mod error;
mod metrics;
mod nats;
mod request;
pub mod webhook;

pub use answer::{AcceptedSession, ConnectAnswer, EventAnswer};
pub use backend::Backend;
pub use error::{BackendError, Refusal};
pub use nats::NatsBackend;
pub use request::{ClientRequest, ConnectRequest, Disconnected, EventRequest, Handshake};
pub use webhook::Webhook;
