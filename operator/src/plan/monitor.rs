//! How the Prometheus operator finds the gateways.

use serde_json::json;

use super::{
    Inputs, Planned,
    names::{CLUSTER, GATEWAY, REVISION},
    object,
};
use crate::Kind;

pub(super) fn plan(inputs: &Inputs<'_>) -> Option<Planned> {
    let cluster = inputs.cluster;
    if !inputs.apis.pod_monitor || !cluster.spec.observability.pod_monitor {
        return None;
    }
    let body = json!({"spec": {
        "selector": {"matchLabels": cluster.names().selector(GATEWAY)},
        "podTargetLabels": [CLUSTER, REVISION],
        "podMetricsEndpoints": [{"port": "ops", "path": "/metrics"}],
    }});
    let name = cluster.names().gateways();
    Some(object(cluster, Kind::PodMonitor, name, GATEWAY, body))
}
