//! What the API asks of the fleet.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

/// Whether a gateway takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GatewayState {
    /// It takes connections.
    Serving,
    /// It moves its connections to others.
    Draining,
    /// It says something that this version does not know.
    Other,
}

/// The policy that a gateway works by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyStatus {
    /// The revision that it has in the bucket; 0 for the gateway's own files.
    pub revision: u64,
    /// A digest of its documents: where it is the same, so are they.
    pub digest: Box<str>,
    /// Why newer documents were refused, so that these stay in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<str>>,
}

/// A gateway of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Gateway")]
pub struct GatewayStatus {
    /// Its name: in Kubernetes, its pod's.
    pub name: Arc<str>,
    /// Its number, in hexadecimal, which it takes anew each time it starts.
    pub number: String,
    /// Whether it takes connections.
    pub state: GatewayState,
    /// Client connections open at it.
    pub connections: u64,
    /// The policy that it works by.
    pub policy: PolicyStatus,
}

/// What a gateway has of the rooms that one Room is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RoomCount")]
pub struct RoomCount {
    /// The name of the Room.
    pub name: Box<str>,
    /// The members at this gateway of all rooms that it is for. A session counts once for each.
    pub members: u64,
    /// The messages published to them from this gateway, since it has this generation of the Room.
    pub published: u64,
}

/// What a gateway has of all rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomCounts {
    /// Whether it can store messages of rooms with history.
    pub stores: bool,
    /// Members and messages of each Room.
    pub rooms: Vec<RoomCount>,
}

/// The gateways of a fleet, as this one knows them.
pub trait Fleet: Send + Sync + 'static {
    /// All of them, this one included. Never waits.
    fn gateways(&self) -> Vec<GatewayStatus>;

    /// What this one has of the rooms. Never waits.
    fn rooms(&self) -> RoomCounts;
}
