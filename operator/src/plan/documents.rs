//! The `ConfigMap` by which gateways start.

use serde_json::json;

use super::{Inputs, Planned, names::GATEWAY, object};
use crate::Kind;

/// The key of the documents in the `ConfigMap`, which is the name of the file at the gateways.
pub(crate) const FILE: &str = "sluice.yaml";

pub(super) fn plan(inputs: &Inputs<'_>) -> Planned {
    let cluster = inputs.cluster;
    let body = json!({"data": {FILE: inputs.documents}});
    object(
        cluster,
        Kind::ConfigMap,
        cluster.names().documents(),
        GATEWAY,
        body,
    )
}
