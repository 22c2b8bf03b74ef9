//! What a gateway says of itself every second, to all others.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Decoded, GatewayNumber, GatewayState, PolicyStatus, WireVersion, decoded};

/// A sign of life. Fields that a version does not know are left alone by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who says it.
    pub gateway: GatewayNumber,
    /// Its name for people: a pod's name.
    #[serde(default)]
    pub name: Arc<str>,
    /// Whether it is the first since the gateway was connected: whoever hears it is to answer
    /// with their own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hello: bool,
    /// Whether it is the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bye: bool,
    /// The newest wire version that it reads. Those of 0.1.0 do not say it and read the first.
    #[serde(default)]
    pub reads: WireVersion,
    /// How it is.
    #[serde(flatten)]
    pub status: Status,
}

/// How a gateway is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whether it takes connections.
    pub state: GatewayState,
    /// How many connections it has.
    pub connections: u64,
    /// Its policy.
    #[serde(with = "Policy")]
    pub policy: PolicyStatus,
    /// How far it is, while it moves connections: all of them, where it drains, or some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining: Option<Draining>,
}

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draining {
    /// How many connections are left.
    pub remaining: u64,
    /// How many are closed a second, where that is bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

/// A policy as heartbeats have it: 0.1.0 calls its revision `generation` there.
#[derive(Serialize, Deserialize)]
#[serde(remote = "PolicyStatus")]
struct Policy {
    #[serde(rename = "generation", default)]
    revision: u64,
    #[serde(default)]
    digest: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Box<str>>,
}

impl Heartbeat {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        // Nothing of it has keys that are no text, which is all that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what a gateway of any version wrote. There is no heartbeat that is too new to be read.
    pub fn decode(bytes: &[u8]) -> Decoded<Self> {
        decoded::json(bytes, |_| WireVersion::FIRST)
    }
}

impl Status {
    /// How many connections it has to move, where it moves any.
    pub fn remaining(&self) -> Option<u64> {
        let all = (self.state == GatewayState::Draining).then_some(self.connections);
        self.draining.map(|draining| draining.remaining).or(all)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_of_another_version_is_understood_as_far_as_it_goes() {
        let text = r#"{"gateway":"0000000a","state":"dreaming","policy":{"generation":7,"x":1},"new":[1]}"#;
        let beat = Heartbeat::decode(text.as_bytes()).known().unwrap();
        assert_eq!(beat.gateway, GatewayNumber(10));
        assert_eq!(beat.status.state, GatewayState::Other);
        assert_eq!(beat.status.policy.revision, 7);
        assert_eq!(beat.status.connections, 0);
        assert_eq!(beat.reads, WireVersion::FIRST, "it does not say it");
    }

    #[test]
    fn who_moves_some_connections_shares_the_rate_for_these_and_who_drains_for_all() {
        let some = Some(Draining {
            remaining: 5,
            rate: None,
        });
        let status = |state, draining| Status {
            state,
            connections: 12,
            draining,
            ..Status::default()
        };
        assert_eq!(status(GatewayState::Serving, None).remaining(), None);
        assert_eq!(status(GatewayState::Serving, some).remaining(), Some(5));
        assert_eq!(status(GatewayState::Draining, some).remaining(), Some(5));
        assert_eq!(status(GatewayState::Draining, None).remaining(), Some(12));
    }

    #[test]
    fn a_heartbeat_reads_back_as_it_was_written() {
        let beat = Heartbeat {
            gateway: GatewayNumber(1),
            name: "chat-0".into(),
            hello: true,
            bye: false,
            reads: WireVersion(3),
            status: Status {
                state: GatewayState::Draining,
                connections: 12,
                policy: PolicyStatus {
                    revision: 3,
                    digest: "ab".into(),
                    refused: Some("no".into()),
                },
                draining: Some(Draining {
                    remaining: 5,
                    rate: Some(2.5),
                }),
            },
        };
        assert_eq!(Heartbeat::decode(&beat.encode()), Decoded::Known(beat));
    }
}
