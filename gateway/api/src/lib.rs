//! The server API: what backends and the operator ask of a gateway, as JSON over HTTP.
//!
//! It listens on its own port, which clients never reach, and runs on an ordinary tokio runtime
//! beside the workers. Everything it does goes through the [`Backbone`](sluice_backbone::Backbone)
//! and two traits that the gateway implements: [`Rules`] and [`Drain`].

mod api;
mod content;
mod drain;
mod extract;
mod guard;
mod keys;
mod metrics;
mod openapi;
mod refusal;
mod route;
mod routes;
mod rules;
mod serve;

pub use api::{Api, Limits};
pub use drain::{Drain, DrainPhase, DrainProgress, DrainRequest};
pub use keys::{KeyError, Keys, MIN_KEY_BYTES};
pub use openapi::openapi;
pub use refusal::Refusal;
pub use routes::router;
pub use rules::Rules;
pub use serve::serve;
