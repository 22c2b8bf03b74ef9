//! The gateways' server API, as far as the operator needs it.

mod client;
mod clients;
mod error;
mod liveness;
mod wire;

pub use client::{GatewayClient, GatewaySeen};
pub(crate) use clients::GatewayClients;
pub use error::{GatewayError, GatewayErrorKind};
pub(crate) use liveness::{GatewayState, Liveness, WatchedGateway};
