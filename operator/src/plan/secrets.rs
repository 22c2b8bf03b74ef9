//! The Secrets with what the operator made up.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{Cluster, Inputs, Planned, names::GATEWAY, object};
use crate::Kind;

/// The key of the operator's key in its Secret.
pub(super) const KEY: &str = "key";

/// The key of where the servers are, in the Secret of a NATS login.
pub(super) const URL: &str = "url";

/// The key of what lets somebody in, in the same Secret: `user:password`.
pub(super) const LOGIN: &str = "login";

/// The Secret by which gateways know the operator.
pub(super) fn operator_key(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let name = cluster.names().operator_key();
    secret(cluster, name, GATEWAY, &[(KEY, &inputs.keys.operator)])
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
