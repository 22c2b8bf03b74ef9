//! The `Room`: what one room or a class of rooms allows and keeps.

mod policy;
mod status;

pub use policy::{ClusterRef, History, OnSlowConsumer, RoomAccess, RoomLimits, RoomPresence};
pub use status::{RoomAcceptance, RoomStatus};

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What one room or a class of rooms allows and keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "Room",
    plural = "rooms",
    shortname = "rtroom",
    category = "sluice",
    namespaced,
    status = "RoomStatus",
    derive = "PartialEq",
    doc = "One room or a class of rooms of a RealtimeCluster: who may join and publish, what is kept, and what its members may use.",
    printcolumn(
        name = "Cluster",
        type_ = "string",
        json_path = ".spec.clusterRef.name",
        description = "The RealtimeCluster that the room belongs to."
    ),
    printcolumn(
        name = "Match",
        type_ = "string",
        json_path = ".spec.match",
        description = "The names of the rooms that this is about."
    ),
    printcolumn(
        name = "Namespace",
        type_ = "string",
        json_path = ".spec.namespace",
        description = "The Socket.IO namespace of the rooms.",
        priority = 1
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether every gateway works by it."
    ),
    printcolumn(
        name = "Members",
        type_ = "integer",
        json_path = ".status.members",
        description = "The members of all rooms that match."
    ),
    printcolumn(
        name = "Rate",
        type_ = "integer",
        json_path = ".status.rate",
        description = "The messages published to them in a second."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        description = "Why it is ready or not.",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "When the Room was created."
    )
)]
#[serde(rename_all = "camelCase")]
pub struct RoomSpec {
    /// The `RealtimeCluster` that the room belongs to, in the same Kubernetes namespace. It cannot
    /// be changed: delete the `Room` and create it again.
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("clusterRef cannot be changed: delete this Room and create one for the other RealtimeCluster"))]
    pub cluster_ref: ClusterRef,
    /// The Socket.IO namespace that the rooms are in. It cannot be changed: delete the `Room` and
    /// create it again.
    #[serde(default = "RoomSpec::default_namespace")]
    #[schemars(length(max = 256))]
    #[x_kube(
        validation = Rule::new("self.startsWith('/')")
            .message("the name of a namespace starts with /, for example /chat"),
        validation = Rule::new("self == oldSelf")
            .message("namespace cannot be changed: delete this Room and create one for the other namespace")
    )]
    pub namespace: String,
    /// The names of the rooms that this is about: one name, or a pattern in which each `*` stands
    /// for any text, the empty one too. Where several match, the most specific decides: an exact
    /// name first, then the pattern with the longer text before its first `*`, then the one with
    /// the longer text in all.
    #[serde(rename = "match")]
    #[schemars(length(min = 1, max = 256))]
    pub match_: String,
    /// Who may do what in the rooms. Each is a CEL expression that is true for those who may. It
    /// knows `claims` (the session's token), `user`, and `room` with its `name`, its `namespace`
    /// and its `suffix`, which is what the first `*` of `match` stands for. For example:
    /// `'agent' in claims.roles || claims.sub == room.suffix`.
    #[serde(default)]
    pub access: RoomAccess,
    /// What is kept of the rooms' messages, for those who come later or come back. Without it
    /// nothing is kept, and what a client misses is lost to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Whether members can see who else is there.
    #[serde(default)]
    pub presence: RoomPresence,
    /// What one room may take.
    #[serde(default)]
    pub limits: RoomLimits,
    /// A JSON Schema (draft 2020-12) for the data of each event that may be published. Once one is
    /// given, an event that is not listed is refused. Without any, every event and all data are
    /// let through.
    #[serde(default)]
    #[schemars(schema_with = "policy::schemas_schema")]
    pub schemas: BTreeMap<String, Map<String, Value>>,
    /// What happens when the messages that wait for a member exceed the cluster's
    /// `limits.outboundBytes`. `Close` closes its connection with a code that tells it to come
    /// back, after which recovery gives it what it missed. `Drop` leaves out this room's messages
    /// for that member until it has caught up. Both are counted.
    #[serde(default)]
    pub on_slow_consumer: OnSlowConsumer,
}

impl RoomSpec {
    /// A room with every default, for the given cluster and names.
    pub fn new(cluster: impl Into<String>, match_: impl Into<String>) -> Self {
        Self {
            cluster_ref: ClusterRef {
                name: cluster.into(),
            },
            namespace: Self::default_namespace(),
            match_: match_.into(),
            access: RoomAccess::default(),
            history: None,
            presence: RoomPresence::default(),
            limits: RoomLimits::default(),
            schemas: BTreeMap::new(),
            on_slow_consumer: OnSlowConsumer::default(),
        }
    }

    fn default_namespace() -> String {
        "/".to_owned()
    }
}
