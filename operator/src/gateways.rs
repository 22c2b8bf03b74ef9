//! The gateways' server API, as far as the operator needs it.

mod client;
mod error;
mod wire;

pub use client::{GatewaySeen, Gateways};
pub use error::{GatewayError, GatewayErrorKind};
pub use wire::{FleetMember, PolicySeen, RoomSeen, RoomsSeen};
