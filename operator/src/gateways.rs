//! The gateways' server API, as far as the operator needs it.

mod client;
mod error;
mod vigil;
mod wire;

pub use client::{GatewaySeen, Gateways};
pub use error::{GatewayError, GatewayErrorKind};
pub(crate) use vigil::{State, Vigils, Watched};
pub use wire::{FleetMember, PolicySeen, RoomSeen, RoomsSeen};
