//! Moving connections off a gateway.

use serde::{Deserialize, Deserializer, Serialize};

/// How a drain is to go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DrainRequest {
    /// Why, as clients are told in the `drain` event; at most 123 bytes, `rollout` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub reason: Option<String>,
    /// How many connections a second this gateway may move: its share of the fleet's rate.
    /// Without it the cluster's own setting counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if, range(min = 0.001)))]
    pub connections_per_second: Option<f64>,
    /// Only so many connections, after which the gateway goes on as before. It takes new ones all
    /// the while. A drain of all connections that is under way goes on as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if, range(min = 1)))]
    pub connections: Option<u64>,
}

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DrainPhase {
    /// No drain: the gateway takes connections.
    #[default]
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

impl DrainPhase {
    /// Whether all connections are being moved, in a way that can still be stopped.
    pub const fn moves_all(self) -> bool {
        matches!(self, Self::Settle | Self::Notify | Self::Move)
    }
}

/// A drain in figures.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// Gateways that do not say how many connections they have, have those that are to be closed.
impl<'de> Deserialize<'de> for DrainProgress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Said {
            phase: DrainPhase,
            moved: u64,
            remaining: u64,
            connections: Option<u64>,
            #[serde(default)]
            rate: f64,
            eta: Option<f64>,
        }
        let said = Said::deserialize(deserializer)?;
        Ok(Self {
            phase: said.phase,
            moved: said.moved,
            remaining: said.remaining,
            connections: said.connections.unwrap_or(said.remaining),
            rate: said.rate,
            eta: said.eta,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_does_not_tell_its_connections_has_those_that_it_would_move() {
        let text = r#"{"phase":"move","moved":120,"remaining":880,"rate":50.0,"eta":17.6,"new":1}"#;
        let progress: DrainProgress = serde_json::from_str(text).unwrap();
        assert_eq!(progress.connections, 880);
        assert_eq!(progress.phase, DrainPhase::Move);
    }

    #[test]
    fn progress_reads_back_as_it_was_written() {
        let progress = DrainProgress {
            phase: DrainPhase::Rebalance,
            moved: 1,
            remaining: 2,
            connections: 30,
            rate: 0.5,
            eta: None,
        };
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(
            serde_json::from_str::<DrainProgress>(&text).unwrap(),
            progress
        );
    }
}
