//! The server API: what backends and the operator ask of a gateway, as JSON over HTTP.
//!
//! It listens on its own port, which clients never reach, and runs on an ordinary tokio runtime
//! beside the workers. Everything it does goes through the [`Backbone`](sluice_backbone::Backbone)
//! and three traits that the gateway implements: [`Rules`], [`Drain`] and [`Fleet`].

mod api;
mod call;
mod content;
mod drain;
mod extract;
mod fleet;
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
pub use call::{Called, Caller};
pub use drain::{Drain, DrainPhase, DrainProgress, DrainRequest};
pub use fleet::{Fleet, GatewayState, GatewayStatus, PolicyStatus, RoomCount, RoomCounts};
pub use keys::{KeyError, Keys, MIN_KEY_BYTES};
pub use openapi::openapi;
pub use refusal::Refusal;
pub use routes::router;
pub use rules::{Kept, Rules};
pub use serve::serve;
