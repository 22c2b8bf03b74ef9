//! What the API asks of the fleet.

use sluice_contract::{FleetStatus, RoomCounts};

/// The gateways of a fleet, as this one knows them.
pub trait Fleet: Send + Sync + 'static {
    /// All of them, this one included. Never waits.
    fn gateways(&self) -> FleetStatus;

    /// What this one has of the rooms. Never waits.
    fn rooms(&self) -> RoomCounts;
}
