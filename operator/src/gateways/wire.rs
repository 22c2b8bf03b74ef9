//! The server API's JSON.

use serde::{Deserialize, Serialize};

use crate::fleet::{DrainCommand, DrainPhase, DrainSeen};

/// How far a drain is. Gateways of other versions may leave out what they do not know.
#[derive(Debug, Deserialize)]
pub(super) struct Progress {
    phase: DrainPhase,
    moved: u64,
    remaining: u64,
    /// The connections open; those of older versions are all to be moved.
    connections: Option<u64>,
    #[serde(default)]
    rate: f64,
    #[serde(default)]
    eta: Option<f64>,
}

impl Progress {
    pub(super) fn connections(&self) -> u64 {
        self.connections.unwrap_or(self.remaining)
    }

    pub(super) fn drain(&self) -> DrainSeen {
        DrainSeen {
            phase: self.phase,
            moved: self.moved,
            remaining: self.remaining,
            rate: self.rate,
            eta: self.eta,
        }
    }
}

/// What begins a drain.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<u64>,
}

impl Start {
    /// The body for a command; none where it ends a drain.
    pub(super) fn of(command: &DrainCommand) -> Option<Self> {
        match command {
            DrainCommand::Start { reason, rate } => Some(Self {
                reason: reason.as_str(),
                connections_per_second: *rate,
                connections: None,
            }),
            DrainCommand::Rebalance { connections, rate } => Some(Self {
                reason: "rebalance",
                connections_per_second: *rate,
                connections: Some(*connections),
            }),
            DrainCommand::Cancel => None,
        }
    }
}

/// The gateways of a fleet, as one of them knows them.
#[derive(Debug, Deserialize)]
pub(super) struct Fleet {
    pub(super) gateways: Vec<FleetMember>,
}

/// A gateway, as one of its fleet knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FleetMember {
    /// Its name: its pod's.
    pub name: String,
    /// The client connections open at it.
    pub connections: u64,
    /// The policy that it works by.
    #[serde(default)]
    pub policy: PolicySeen,
}

/// The policy that a gateway works by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PolicySeen {
    /// The revision that it has in the bucket; 0 for the gateway's own files.
    pub revision: u64,
    /// A digest of its documents.
    pub digest: String,
    /// Why newer documents were refused, so that these stay in force.
    #[serde(default)]
    pub refused: Option<String>,
}

/// What a gateway has of the rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RoomsSeen {
    /// Whether it can store messages of rooms with history.
    pub stores: bool,
    /// By Room.
    pub rooms: Vec<RoomSeen>,
}

/// What a gateway has of the rooms that one Room is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RoomSeen {
    /// The Room's name.
    pub name: String,
    /// Their members there.
    pub members: u64,
    /// The messages published to them from there, since it has this generation of the Room.
    pub published: u64,
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: Reason,
}

/// Its reason.
#[derive(Debug, Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::DrainReason;

    #[test]
    fn a_gateway_that_does_not_tell_its_connections_has_those_that_it_would_move() {
        let text = r#"{"phase":"move","moved":120,"remaining":880,"rate":50.0,"eta":17.6,"new":1}"#;
        let progress: Progress = serde_json::from_str(text).unwrap();
        assert_eq!(progress.connections(), 880);
        assert_eq!(progress.drain().phase, DrainPhase::Move);
    }

    #[test]
    fn a_command_says_only_what_it_means() {
        let start = DrainCommand::Start {
            reason: DrainReason::Rollout,
            rate: None,
        };
        let body = serde_json::to_string(&Start::of(&start)).unwrap();
        assert_eq!(body, r#"{"reason":"rollout"}"#);
        assert_eq!(Start::of(&DrainCommand::Cancel), None);
    }
}
