//! How gateways are reached.

use serde_json::{Value, json};
use sluice_crds::cluster::SessionAffinityType;

use super::{
    Inputs, Planned, json_of,
    names::{GATEWAY, SERVING},
    object, pod, set,
};
use crate::Kind;

pub(super) fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    vec![clients(inputs), gateways(inputs), api(inputs)]
}

/// The Service for clients leads to the gateways that get new connections.
fn clients(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let wanted = &cluster.spec.service;
    let mut selector = cluster.names().selector(GATEWAY);
    set(&mut selector, SERVING, "true".into());
    let scheme = if cluster.spec.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let affinity = &wanted.session_affinity;
    let mut spec = json!({
        "type": wanted.type_,
        "selector": selector,
        "ports": [port(scheme, wanted.port, "clients")],
        "sessionAffinity": affinity.type_,
    });
    if affinity.type_ == SessionAffinityType::ClientIP {
        let timeout = json!({"clientIP": {"timeoutSeconds": affinity.timeout_seconds}});
        set(&mut spec, "sessionAffinityConfig", timeout);
    }
    let name = cluster.names().clients();
    let mut service = object(cluster, Kind::Service, name, GATEWAY, json!({"spec": spec}));
    let annotations = json_of(&wanted.annotations);
    set(&mut service.value["metadata"], "annotations", annotations);
    service
}

/// The headless Service names every gateway there is, those that start and drain too.
fn gateways(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let body = json!({"spec": {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "selector": cluster.names().selector(GATEWAY),
        "ports": [
            port("clients", pod::CLIENTS, "clients"),
            port("api", pod::API, "api"),
            port("ops", pod::OPS, "ops"),
        ],
    }});
    object(
        cluster,
        Kind::Service,
        cluster.names().gateways(),
        GATEWAY,
        body,
    )
}

/// The Service for backends: any gateway will do.
fn api(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let body = json!({"spec": {
        "type": "ClusterIP",
        "selector": cluster.names().selector(GATEWAY),
        "ports": [port("http", pod::API, "api")],
    }});
    object(cluster, Kind::Service, cluster.names().api(), GATEWAY, body)
}

pub(super) fn port(name: &str, port: u16, target: impl Into<Value>) -> Value {
    json!({"name": name, "protocol": "TCP", "port": port, "targetPort": target.into()})
}
