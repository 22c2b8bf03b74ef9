//! The Secrets with what the operator made up.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{Cluster, Inputs, Planned, names::GATEWAY, object};
use crate::Kind;

/// The key of the operator's key in its Secret.
pub(crate) const KEY: &str = "key";

pub(super) fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    let cluster = inputs.cluster;
    let mut secrets = vec![secret(
        cluster,
        cluster.names().operator_key(),
        GATEWAY,
        &[(KEY, &inputs.keys.operator)],
    )];
    secrets.extend(super::nats::secrets(inputs));
    secrets
}

/// A Secret of texts.
pub(super) fn secret(
    cluster: &Cluster,
    name: String,
    component: &str,
    texts: &[(&str, &str)],
) -> Planned {
    let encoded = texts
        .iter()
        .map(|(key, text)| ((*key).to_owned(), BASE64_STANDARD.encode(text).into()));
    let data: Map<String, Value> = encoded.collect();
    let body = json!({"type": "Opaque", "data": data});
    object(cluster, Kind::Secret, name, component, body)
}
