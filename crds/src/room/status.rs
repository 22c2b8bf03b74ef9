use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::passthrough::plain;

/// What the operator sees of the rooms that match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomStatus {
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "plain::<Vec<Condition>>")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The members of all rooms that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<i64>,
    /// The messages published to them in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<i64>,
    /// Which generation of this `Room` the gateways work by, for each revision of gateways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["revision".into()]))]
    pub accepted: Vec<RoomAcceptance>,
}

/// Which generation of a `Room` the gateways of one revision work by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomAcceptance {
    /// The revision of the gateways.
    pub revision: String,
    /// The oldest generation that one of them works by.
    pub generation: i64,
    /// How many gateways work by that generation or a later one.
    pub gateways: i32,
}
