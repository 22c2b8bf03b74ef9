use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
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
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them, `BackboneReady`, and
    /// `Draining` while connections are moved.
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
