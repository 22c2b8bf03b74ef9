//! What the API asks of the gateway's drain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a drain is to go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DrainRequest {
    /// Why, as clients are told in the `drain` event; at most 123 bytes, `rollout` and the like.
    pub reason: Option<String>,
    /// How many connections a second this gateway may move: its share of the fleet's rate.
    /// Without it the cluster's own setting counts.
    #[schemars(range(min = 0.001))]
    pub connections_per_second: Option<f64>,
    /// Only so many connections, after which the gateway goes on as before. It takes new ones all
    /// the while. A drain of all connections that is under way goes on as it is.
    #[schemars(range(min = 1))]
    pub connections: Option<u64>,
}

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DrainPhase {
    /// No drain: the gateway takes connections.
    Serving,
    /// Some of its connections are moved; it takes new ones all the while.
    Rebalance,
    /// Out of the Service, still accepting strays.
    Settle,
    /// Connections have been told that they will be closed.
    Notify,
    /// Connections are closed, in batches.
    Move,
    /// No connection is left, or the deadline has passed: the gateway ends.
    Release,
}

/// A drain in figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct DrainProgress {
    /// Which part of a drain is going on, if any.
    pub phase: DrainPhase,
    /// Connections closed by this drain so far.
    pub moved: u64,
    /// Connections that are still to be closed: all that are open, but in a rebalance.
    pub remaining: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Connections closed a second, now.
    pub rate: f64,
    /// Seconds until the last one will be closed, where that can be told.
    pub eta: Option<f64>,
}

/// Moves connections off this gateway: all of them, or some.
pub trait Drain: Send + Sync + 'static {
    /// Begins to drain. A drain that has begun goes on, at the rate now given.
    fn start(&self, request: DrainRequest) -> DrainProgress;

    /// Goes back to serving. Nothing where it is too late: the process was told to end, or does.
    fn stop(&self) -> Option<DrainProgress>;

    /// How far a drain has come, now.
    fn progress(&self) -> DrainProgress;
}
