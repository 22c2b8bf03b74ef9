//! How many pods may be evicted at once.

use serde_json::json;

use super::{
    Cluster, Inputs, Planned,
    names::{GATEWAY, NATS},
    object,
};
use crate::Kind;

pub(super) fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    let cluster = inputs.cluster;
    let mut objects = vec![budget(cluster, cluster.names().gateways(), GATEWAY)];
    if cluster.managed_nats().is_some() {
        objects.push(budget(cluster, cluster.names().nats(), NATS));
    }
    objects
}

/// One at a time, and never none: a budget that allows none keeps a node from ever being drained.
/// A pod that is not ready protects nobody, and may always go.
fn budget(cluster: &Cluster, name: String, component: &str) -> Planned {
    let body = json!({"spec": {
        "maxUnavailable": 1,
        "selector": {"matchLabels": cluster.names().selector(component)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }});
    object(cluster, Kind::PodDisruptionBudget, name, component, body)
}
