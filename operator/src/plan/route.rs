//! The route of the Gateway API.

use serde_json::{Value, json};

use super::{Inputs, Planned, json_of, names::GATEWAY, object, set};
use crate::Kind;

pub(super) fn plan(inputs: &Inputs<'_>) -> Option<Planned> {
    let cluster = inputs.cluster;
    let route = cluster.spec.route.as_ref()?;
    if !inputs.apis.http_route {
        return None;
    }
    let wanted = &route.gateway_ref;
    let mut parent = json!({
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": wanted.name,
    });
    set(&mut parent, "namespace", json_of(&wanted.namespace));
    set(&mut parent, "sectionName", json_of(&wanted.section_name));
    let mut spec = json!({"parentRefs": [parent], "rules": [rule(inputs)]});
    set(&mut spec, "hostnames", json_of(&route.hostnames));
    let name = cluster.names().clients();
    Some(object(
        cluster,
        Kind::HttpRoute,
        name,
        GATEWAY,
        json!({"spec": spec}),
    ))
}

/// Everything goes to the Service for clients, and takes as long as it takes: a long poll waits
/// for a heartbeat.
fn rule(inputs: &Inputs<'_>) -> Value {
    let cluster = inputs.cluster;
    json!({
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{
            "group": "",
            "kind": "Service",
            "name": cluster.names().clients(),
            "port": cluster.spec.service.port,
            "weight": 1,
        }],
        "timeouts": {"request": "0s"},
    })
}
