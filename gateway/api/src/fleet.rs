//! What the API asks of the fleet.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

/// Whether a gateway takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GatewayState {
    /// It does.
    Serving,
    /// It moves them to others.
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

/// The gateways of a fleet, as this one knows them.
pub trait Fleet: Send + Sync + 'static {
    /// All of them, this one included. Never waits.
    fn gateways(&self) -> Vec<GatewayStatus>;
}
