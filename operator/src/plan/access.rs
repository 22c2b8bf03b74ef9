//! What pods run as, and who may reach them.

use serde_json::{Value, json};

use super::{
    Cluster, Inputs, Planned,
    names::{CLUSTER, GATEWAY, NATS},
    object, pod,
};
use crate::Kind;

/// The label of Kubernetes namespaces whose pods may call the server API.
const BACKENDS: &str = "sluice.dev/backends";

/// The label of pods that may connect to a cluster's NATS, with the cluster's name.
const NATS_CLIENT: &str = "sluice.dev/nats-client";

pub(super) fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    let cluster = inputs.cluster;
    let mut objects = vec![
        account(cluster, cluster.names().gateways(), GATEWAY),
        gateways(inputs),
    ];
    if cluster.managed_nats().is_some() {
        objects.push(account(cluster, cluster.names().nats(), NATS));
        objects.push(nats(inputs));
    }
    objects
}

/// Pods ask the API server for nothing, so they get no token for it.
fn account(cluster: &Cluster, name: String, component: &str) -> Planned {
    let body = json!({"automountServiceAccountToken": false});
    object(cluster, Kind::ServiceAccount, name, component, body)
}

fn gateways(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let backends = json!([
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {BACKENDS: "true"}}},
        operator(inputs),
    ]);
    let body = json!({"spec": {
        "podSelector": {"matchLabels": cluster.names().selector(GATEWAY)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [port(pod::CLIENTS)]},
            {"ports": [port(pod::API)], "from": backends},
            // Metrics are for the Prometheus of whatever namespace, never for the outside.
            {"ports": [port(pod::OPS)], "from": [{"namespaceSelector": {}}]},
        ],
    }});
    object(
        cluster,
        Kind::NetworkPolicy,
        cluster.names().gateways(),
        GATEWAY,
        body,
    )
}

fn nats(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let pods = |labels: Value| json!({"podSelector": {"matchLabels": labels}});
    let clients = json!([
        pods(cluster.names().selector(GATEWAY)),
        pods(json!({NATS_CLIENT: cluster.name})),
        operator(inputs),
    ]);
    let servers = pods(cluster.names().selector(NATS));
    let body = json!({"spec": {
        "podSelector": {"matchLabels": cluster.names().selector(NATS)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [port(super::nats::CLIENTS)], "from": clients},
            {"ports": [port(super::nats::ROUTES)], "from": [servers]},
            {"ports": [port(super::nats::MONITOR)], "from": [pods(json!({CLUSTER: cluster.name})), operator(inputs)]},
        ],
    }});
    object(
        cluster,
        Kind::NetworkPolicy,
        cluster.names().nats(),
        NATS,
        body,
    )
}

fn operator(inputs: &Inputs<'_>) -> Value {
    json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": inputs.operator_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": super::MANAGER}},
    })
}

fn port(port: u16) -> Value {
    json!({"protocol": "TCP", "port": port})
}
