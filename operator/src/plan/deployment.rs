//! The Deployment of one revision.

use serde_json::json;

use super::{
    Inputs, Planned,
    names::{self, GATEWAY},
    object, pod,
};
use crate::{Kind, digest};

/// How many digits of its digest name a revision.
const DIGITS: usize = 10;

pub(super) fn revision(inputs: &Inputs<'_>) -> String {
    let mut revision = digest(&pod::template(inputs));
    revision.truncate(DIGITS);
    revision
}

/// A revision's template never changes, so the strategy has nothing to do: revisions follow each
/// other as Deployments of their own.
pub(super) fn plan(inputs: &Inputs<'_>, replicas: u32) -> Planned {
    let cluster = inputs.cluster;
    let revision = revision(inputs);
    let mut selector = cluster.names().selector(GATEWAY);
    selector[names::REVISION] = revision.as_str().into();
    let body = json!({"spec": {
        "replicas": replicas,
        "revisionHistoryLimit": 0,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "selector": {"matchLabels": selector},
        "template": pod::labelled(pod::template(inputs), &revision),
    }});
    let name = cluster.names().deployment(&revision);
    let mut deployment = object(cluster, Kind::Deployment, name, GATEWAY, body);
    deployment.value["metadata"]["labels"][names::REVISION] = revision.into();
    deployment
}
