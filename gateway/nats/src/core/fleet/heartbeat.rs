//! What a gateway says of itself every second.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::number::Number;

/// Whether a gateway takes connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It takes connections.
    #[default]
    Serving,
    /// It moves its connections to others.
    Draining,
    /// What another version calls a state of its own.
    #[serde(other)]
    Other,
}

/// The policy that a gateway goes by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyStatus {
    /// The number of its last change.
    pub generation: u64,
    /// What it says, shortened: equal policies have equal digests.
    pub digest: Box<str>,
    /// Why a newer one was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<str>>,
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

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whether it takes connections.
    pub state: State,
    /// How many connections it has.
    pub connections: u64,
    /// Its policy.
    pub policy: PolicyStatus,
    /// How far it is, while it moves connections: all of them, where it drains, or some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining: Option<Draining>,
}

impl Status {
    /// How many connections it has to move, where it moves any.
    pub(super) fn remaining(&self) -> Option<u64> {
        let all = (self.state == State::Draining).then_some(self.connections);
        self.draining.map(|draining| draining.remaining).or(all)
    }
}

/// A sign of life. Fields that a version does not know are left alone by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Heartbeat {
    pub(super) gateway: Number,
    #[serde(default)]
    pub(super) name: Arc<str>,
    /// The first since it was connected: whoever hears it is to answer with their own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) hello: bool,
    /// Whether it is the last heartbeat: the gateway ends.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) bye: bool,
    #[serde(flatten)]
    pub(super) status: Status,
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
        let beat: Heartbeat = serde_json::from_str(text).unwrap();
        assert_eq!(beat.gateway, Number(10));
        assert_eq!(beat.status.state, State::Other);
        assert_eq!(beat.status.policy.generation, 7);
        assert_eq!(beat.status.connections, 0);
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
        assert_eq!(status(State::Serving, None).remaining(), None);
        assert_eq!(status(State::Serving, some).remaining(), Some(5));
        assert_eq!(status(State::Draining, some).remaining(), Some(5));
        assert_eq!(status(State::Draining, None).remaining(), Some(12));
    }

    #[test]
    fn a_heartbeat_reads_back_as_it_was_written() {
        let beat = Heartbeat {
            gateway: Number(1),
            name: "chat-0".into(),
            hello: true,
            bye: false,
            status: Status {
                state: State::Draining,
                connections: 12,
                policy: PolicyStatus {
                    generation: 3,
                    digest: "ab".into(),
                    refused: Some("no".into()),
                },
                draining: Some(Draining {
                    remaining: 5,
                    rate: Some(2.5),
                }),
            },
        };
        let text = serde_json::to_vec(&beat).unwrap();
        assert_eq!(serde_json::from_slice::<Heartbeat>(&text).unwrap(), beat);
    }
}
