//! What is to be done about a fleet.

use std::{collections::BTreeMap, time::Duration};

use sluice_contract::{DrainRequest, WireVersion};
use sluice_crds::cluster::RolloutProgress;

use super::Remembered;

use crate::reason;

/// The deletion cost of a pod that is to be removed before all others of its Deployment.
pub const REMOVED_FIRST: i32 = -1_000_000;

/// What is to be done now. Applying it as a whole or in part is safe: whatever did not happen is
/// decided again the next time.
///
/// Where nothing is left to do, [`Self::serving`], [`Self::drain`] and [`Self::deletion_cost`]
/// are empty and [`Self::replicas`] is what the Deployments already have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// How many replicas the Deployment of each revision has. The Deployment of a revision that
    /// is not here is to be deleted; one that is and does not exist, made.
    pub replicas: BTreeMap<String, u32>,
    /// Pods that get the label by which the Service selects (`true`), or lose it. Only those that
    /// change.
    pub serving: Vec<(String, bool)>,
    /// What gateways are to be told.
    pub drain: Vec<(String, DrainCommand)>,
    /// Pods that get this deletion cost. Only those that change.
    pub deletion_cost: Vec<(String, i32)>,
    /// How many gateways are wanted, by the spec or by autoscaling: what belongs into
    /// `status.desiredReplicas`.
    pub desired_replicas: u32,
    /// The wire version that is to be finalised: first in the bucket, then in
    /// `status.wireVersion`. `None` where nothing changes.
    pub finalise: Option<WireVersion>,
    /// What people are told where gateways of the wanted revision read less than what is finalised.
    pub too_old: Option<String>,
    /// How far the rollout is; `None` where there is none.
    pub progress: Option<RolloutProgress>,
    /// What the fleet is about.
    pub phase: Phase,
    /// The same for people, in whole sentences.
    pub message: String,
    /// How soon to look at the gateways again if nothing happens before.
    pub look_again: Duration,
    /// What the next decision should know.
    pub remember: Remembered,
}

/// What a gateway is told about its connections.
#[derive(Debug, Clone, PartialEq)]
pub enum DrainCommand {
    /// Move all of them.
    Start {
        /// Why, as clients are told.
        reason: DrainReason,
        /// How many a second; without it the gateway's share of the fleet's rate.
        rate: Option<f64>,
    },
    /// Move some of them, and take new ones all the while.
    Rebalance {
        /// How many connections to move.
        connections: u64,
        /// How many a second, at most; never more than the gateway's share of the fleet's rate.
        rate: Option<f64>,
    },
    /// Keep those that are left.
    Cancel,
}

impl DrainCommand {
    /// What the gateway is asked for; none where its drain is to end.
    pub(crate) fn request(&self) -> Option<DrainRequest> {
        match self {
            Self::Start { reason, rate } => Some(DrainRequest {
                reason: Some(reason.as_str().to_owned()),
                connections_per_second: *rate,
                connections: None,
            }),
            Self::Rebalance { connections, rate } => Some(DrainRequest {
                reason: Some("rebalance".to_owned()),
                connections_per_second: *rate,
                connections: Some(*connections),
            }),
            Self::Cancel => None,
        }
    }
}

/// Why connections are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DrainReason {
    /// Another revision takes over.
    Rollout,
    /// The gateway's node is cordoned.
    NodeDrain,
    /// Fewer gateways are wanted.
    ScaleDown,
}

impl DrainReason {
    /// The word for it in the server API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::NodeDrain => "node-drain",
            Self::ScaleDown => "scale-down",
        }
    }
}

/// What a fleet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// As many gateways as wanted, all of the wanted revision, and nothing to move.
    #[default]
    Steady,
    /// Gateways of the wanted revision are missing, and start.
    Starting,
    /// Gateways of the new revision start; those of the old one serve.
    Surging,
    /// The new revision gets all new connections; those of the old one are moved.
    Moving,
    /// A rollout is under way and the user has paused it.
    Paused,
    /// Gateways of the wanted revision do not become ready. The old ones serve.
    Stuck,
    /// Gateways leave nodes that are cordoned.
    LeavingNodes,
    /// Gateways that are too many are drained.
    ScalingDown,
    /// Some connections are moved to gateways that have fewer.
    Rebalancing,
}

impl Phase {
    /// The reason of a condition.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Steady => "Steady",
            Self::Starting => reason::GATEWAYS_STARTING,
            Self::Surging => reason::NEW_REVISION_STARTING,
            Self::Moving => reason::CONNECTIONS_MOVING,
            Self::Paused => reason::ROLLOUT_PAUSED,
            Self::Stuck => reason::GATEWAYS_NOT_READY,
            Self::LeavingNodes => reason::NODES_CORDONED,
            Self::ScalingDown => reason::SCALING_DOWN,
            Self::Rebalancing => reason::REBALANCING,
        }
    }

    /// Whether a rollout is under way, going on or not.
    pub const fn is_rollout(self) -> bool {
        matches!(self, Self::Surging | Self::Moving | Self::Paused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_only_what_it_means() {
        let start = DrainCommand::Start {
            reason: DrainReason::Rollout,
            rate: None,
        };
        let body = serde_json::to_string(&start.request()).unwrap();
        assert_eq!(body, r#"{"reason":"rollout"}"#);
        assert_eq!(DrainCommand::Cancel.request(), None);
    }
}
