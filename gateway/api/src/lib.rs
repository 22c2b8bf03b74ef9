//! The server API: what backends and the operator ask of a gateway, as JSON over HTTP.
//!
//! It listens on its own port, which clients never reach, and runs on an ordinary tokio runtime
//! beside the workers. Everything it does goes through the [`Backbone`](sluice_backbone::Backbone)
//! and three traits that the gateway implements: [`Rules`], [`Drain`] and [`Fleet`].
//!
//! Every operation needs a key, is bounded in time and size, and is refused, if it is, with a
//! stable code and a sentence that says what to do next. One list of operations makes the router
//! and the description that [`openapi`] gives.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use sluice_api::{Api, Drain, Fleet, Keys, Limits, Rules};
//! use sluice_backbone::Backbone;
//!
//! async fn run(
//!     backbone: Arc<dyn Backbone>,
//!     rules: Arc<dyn Rules>,
//!     drain: Arc<dyn Drain>,
//!     fleet: Arc<dyn Fleet>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let registry = prometheus::Registry::new();
//!     let api = Api::new(backbone, rules, drain, fleet, Limits::default(), &registry)?;
//!     api.set_keys(Keys::new(["a key of at least sixteen bytes"])?);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
//!     // Until the process is told to end; requests that came before are answered.
//!     let end = async { drop(tokio::signal::ctrl_c().await) };
//!     sluice_api::serve(listener, api, end).await;
//!     Ok(())
//! }
//! ```

mod api;
mod call;
mod content;
mod drain;
mod extract;
mod fleet;
mod guard;
mod keys;
mod metrics;
mod newcomer;
mod openapi;
mod refusal;
mod route;
mod router;
mod routes;
mod rules;
mod serve;

pub use api::{Api, Limits};
pub use call::{Called, Caller};
pub use drain::Drain;
pub use fleet::Fleet;
pub use keys::{KeyError, Keys};
pub use openapi::openapi;
pub use refusal::Refusal;
pub(crate) use router::router;
pub use rules::{Kept, Rules};
pub use serve::serve;
