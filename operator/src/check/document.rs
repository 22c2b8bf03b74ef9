//! Documents as gateways read them.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sluice_crds::{API_VERSION, RealtimeClusterSpec};

use crate::Object;

/// What is for the operator alone: a change of it is no news for gateways.
const OWN: [&str; 3] = ["service", "route", "rollout"];
const OWN_OF_GATEWAY: [&str; 12] = [
    "replicas",
    "autoscaling",
    "image",
    "imagePullSecrets",
    "resources",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "priorityClassName",
    "podLabels",
    "podAnnotations",
];

/// A document with that spec, named as the object is.
pub(super) fn whole(object: &Object, kind: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": object.name(), "namespace": object.namespace()},
        "spec": spec,
    })
}

/// The cluster's document for its gateways.
pub(super) fn cluster(object: &Object, spec: &RealtimeClusterSpec) -> String {
    let mut spec = known(spec);
    remove(spec.as_object_mut(), &OWN);
    remove(
        spec.get_mut("gateway").and_then(Value::as_object_mut),
        &OWN_OF_GATEWAY,
    );
    text(&whole(object, "RealtimeCluster", &spec))
}

fn remove(map: Option<&mut Map<String, Value>>, fields: &[&str]) {
    if let Some(map) = map {
        map.retain(|field, _| !fields.contains(&field.as_str()));
    }
}

/// What is known of a spec, as JSON.
pub(super) fn known(spec: &impl Serialize) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// A document in YAML.
pub(super) fn text(document: &Value) -> String {
    // JSON is YAML too, should one ever not be written as the other.
    serde_saphyr::to_string(document).unwrap_or_else(|_| format!("{document}\n"))
}
