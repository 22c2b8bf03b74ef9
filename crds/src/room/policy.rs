use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Duration, OnDelete};

/// Names a `RealtimeCluster` in the same Kubernetes namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRef {
    /// The `RealtimeCluster`'s name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Who may do what in a room. Each is a CEL expression that is true for those who may. It knows
/// `claims` (the session's token), `user`, and `room` with its `name`, its `namespace` and its
/// `suffix`, which is what the first `*` of `match` stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "RoomAccess::default")]
pub struct RoomAccess {
    /// Who may join.
    #[schemars(length(min = 1, max = 4096))]
    pub join: String,
    /// Who may publish. One need not be a member.
    #[schemars(length(min = 1, max = 4096))]
    pub publish: String,
    /// Who may see who is there.
    #[schemars(length(min = 1, max = 4096))]
    pub presence: String,
    /// Who may read the history. Without it, those who may join.
    #[schemars(length(min = 1, max = 4096))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
}

impl Default for RoomAccess {
    fn default() -> Self {
        let everyone = || "true".to_owned();
        Self {
            join: everyone(),
            publish: everyone(),
            presence: everyone(),
            history: None,
        }
    }
}

/// What is kept of a room's messages. At least one bound is needed; a message goes when it is
/// beyond either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "History::default")]
#[x_kube(
    validation = Rule::new("has(self.maxMessages) || has(self.maxAge)")
        .message("history needs a bound: set maxMessages (for example 1000), maxAge (for example 24h), or both")
        .reason(Reason::FieldValueRequired)
)]
pub struct History {
    /// How many messages of one room are kept.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u32>,
    /// How long a message is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s')")
        .message("messages are kept for 1s or more: raise maxAge, or remove history to keep nothing"))]
    pub max_age: Option<Duration>,
    /// What becomes of the messages when the `Room` is deleted: `Drop` deletes those of all rooms
    /// that it decided for, `Keep` leaves them until they are beyond their bounds.
    pub on_delete: OnDelete,
}

/// Whether members can see who else is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "RoomPresence::default")]
pub struct RoomPresence {
    /// Whether it is known who is in the room.
    pub enabled: bool,
    /// Whether members are told when users join and leave. It has no effect unless `enabled` is
    /// `true`. In a room of thousands it costs more than the messages do.
    pub announce: bool,
}

impl Default for RoomPresence {
    fn default() -> Self {
        Self {
            enabled: true,
            announce: true,
        }
    }
}

/// What one room may take. What is beyond a limit is refused with a code, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "RoomLimits::default")]
pub struct RoomLimits {
    /// Members of one room.
    #[schemars(range(min = 1))]
    pub members: u32,
    /// Messages that may be published to one room in a second.
    #[schemars(range(min = 1))]
    pub messages_per_second: u32,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            members: 10_000,
            messages_per_second: 1000,
        }
    }
}

/// What happens when a member reads too slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnSlowConsumer {
    /// Its connection is closed.
    #[default]
    Close,
    /// The room's messages are left out for it.
    Drop,
}

/// A map whose values are JSON Schemas, which the API server stores as they are.
pub(super) fn schemas_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 256,
        "additionalProperties": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
        },
    })
}
