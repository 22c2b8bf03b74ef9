use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::passthrough::plain;

/// What the operator sees of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RealtimeClusterStatus {
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them; `Accepted`, whether the spec
    /// can be used as it is; `BackboneReady`; and `Draining` while connections are moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "plain::<Vec<Condition>>")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The revision that gets all new connections: the hash of the gateways' pod template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The gateways that run, of all revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// The gateways that are wanted: `gateway.replicas`, or as many as autoscaling asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_replicas: Option<i32>,
    /// The label selector of the gateways' pods, for autoscalers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The connections that all gateways hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<i64>,
    /// How far the rollout is. Absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutProgress>,
    /// The documents that the gateways work by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyInForce>,
    /// The wire version up to which rollouts are finalised: what gateways write for each other, and
    /// NATS keeps, may be in its forms. No clients are led to gateways that do not read it.
    /// Absent until all gateways of one revision have said what they read, and where there is no
    /// NATS. It is never made less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_version: Option<u32>,
    /// What the last change of the spec asked of the gateways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}

/// The documents that the gateways work by: the policy of the `RealtimeCluster` and its `Room`s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyInForce {
    /// What is the same where the documents are, as the gateways tell it too.
    pub digest: String,
    /// Their revision over NATS. Absent where gateways take them from their files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

/// What a change of the spec asked of the gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastChange {
    /// The generation of the spec with the change.
    pub generation: i64,
    /// What it took.
    pub class: ChangeClass,
}

/// What a change takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ChangeClass {
    /// Gateways take it as they run: nobody is disconnected.
    Hot,
    /// It takes new gateways, to which connections are moved.
    Restart,
}

/// How far a rollout is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutProgress {
    /// The connections that have been moved.
    pub moved: i64,
    /// The connections that are still to move.
    pub remaining: i64,
    /// The connections that are moved in a second at present.
    pub rate: i64,
    /// How long the rollout will still take at this rate. Absent when that cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<Duration>,
}
