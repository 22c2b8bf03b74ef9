//! The gateways' server API, as far as the operator needs it.

mod client;
mod clients;
mod error;
mod liveness;

pub use client::GatewayClient;
pub(crate) use clients::GatewayClients;
pub use error::{GatewayError, GatewayErrorKind};
pub(crate) use liveness::{GatewayState, Liveness, WatchedGateway};
