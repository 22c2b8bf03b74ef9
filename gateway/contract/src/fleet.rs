//! The gateways of a fleet, as each of them and the operator know them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{GatewayNumber, WireVersion};

/// Whether a gateway takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum GatewayState {
    /// It takes connections.
    #[default]
    Serving,
    /// It moves its connections to others.
    Draining,
    /// It says something that this version does not know.
    #[serde(other)]
    Other,
}

/// The policy that a gateway works by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyStatus {
    /// The revision that it has in the bucket; 0 for the gateway's own files.
    pub revision: u64,
    /// A digest of its documents: where it is the same, so are they.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub digest: Box<str>,
    /// Why newer documents were refused, so that these stay in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<str>>,
}

/// A gateway of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Gateway"))]
pub struct GatewayStatus {
    /// Its name: in Kubernetes, its pod's.
    pub name: Arc<str>,
    /// Its number, in hexadecimal, which it takes anew each time it starts.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub number: GatewayNumber,
    /// Whether it takes connections.
    pub state: GatewayState,
    /// Client connections open at it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub connections: u64,
    /// The policy that it works by.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub policy: PolicyStatus,
    /// The newest wire version that it reads; it reads those before as well. Gateways of 0.1.0,
    /// which do not say it, read the first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub reads: WireVersion,
}

/// The gateways of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Fleet"))]
pub struct FleetStatus {
    /// Always true.
    pub ok: bool,
    /// The wire version that the gateway that answers writes: what all gateways read, and no more
    /// than what was finalised.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(!default))]
    pub writes: WireVersion,
    /// The gateways, by name.
    pub gateways: Vec<GatewayStatus>,
}

/// What a gateway has of the rooms that one Room is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomCount {
    /// The name of the Room.
    pub name: Box<str>,
    /// The members at this gateway of all rooms that it is for. A session counts once for each.
    pub members: u64,
    /// The messages published to them from this gateway, since it has this generation of the Room.
    pub published: u64,
}

/// What a gateway has of the rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Rooms"))]
pub struct RoomCounts {
    /// Always true.
    pub ok: bool,
    /// Whether this gateway can store messages of rooms with history: it is connected to NATS, and
    /// their stream has a leader.
    pub stores: bool,
    /// The Rooms, by name.
    pub rooms: Vec<RoomCount>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_of_0_1_0_is_read() {
        let text = r#"{"ok":true,"gateways":[{"name":"chat-0","number":"0000000a","state":"serving","connections":3,"policy":{"revision":7,"digest":"ab","refused":"revision 8: no"}}]}"#;
        let fleet: FleetStatus = serde_json::from_str(text).unwrap();
        assert_eq!(fleet.writes, WireVersion::FIRST);
        let gateway = &fleet.gateways[0];
        assert_eq!((&*gateway.name, gateway.number.0), ("chat-0", 10));
        assert_eq!(gateway.reads, WireVersion::FIRST);
        assert_eq!(gateway.policy.revision, 7);
        assert_eq!(gateway.policy.refused.as_deref(), Some("revision 8: no"));
    }

    #[test]
    fn what_a_newer_gateway_says_besides_is_skipped() {
        let text = r#"{"ok":true,"writes":2,"more":1,"gateways":[{"name":"a","number":"00000001","state":"dreaming","more":{},"reads":3}]}"#;
        let fleet: FleetStatus = serde_json::from_str(text).unwrap();
        assert_eq!(fleet.writes, WireVersion(2));
        let gateway = &fleet.gateways[0];
        assert_eq!(gateway.state, GatewayState::Other);
        assert_eq!(gateway.reads, WireVersion(3));
        assert_eq!(gateway.policy, PolicyStatus::default());
    }
}
