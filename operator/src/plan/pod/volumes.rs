//! What is mounted into a gateway.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sluice_crds::RealtimeClusterSpec;

use super::SECRET_MODE;
use crate::plan::{
    Cluster,
    secrets::{KEY, LOGIN},
};

/// Where the documents are.
pub(super) const DOCUMENTS: &str = "/etc/sluice/documents";

/// Where the Secrets are that the documents name, a directory each.
pub(super) const SECRETS: &str = "/etc/sluice/secrets";

/// Where the operator's own key is.
const OPERATOR: &str = "/etc/sluice/operator";

pub(super) fn operator_key() -> String {
    format!("{OPERATOR}/{KEY}")
}

/// Where the login at NATS servers is that the operator manages.
const NATS: &str = "/etc/sluice/nats";

pub(super) fn nats_login() -> String {
    format!("{NATS}/{LOGIN}")
}

/// The Secrets are mounted whole, so that a change of the key in a reference needs no restart.
pub(super) fn volumes(cluster: &Cluster) -> Value {
    let names = cluster.names();
    let mut volumes = vec![
        json!({"name": "documents", "configMap": {"name": names.documents()}}),
        json!({"name": "operator", "secret": secret(&names.operator_key())}),
    ];
    if cluster.managed_nats().is_some() {
        let login = secret(&names.nats_login("gateway"));
        volumes.push(json!({"name": "nats", "secret": login}));
    }
    for (n, name) in secrets(&cluster.spec).into_iter().enumerate() {
        volumes.push(json!({"name": format!("secret-{n}"), "secret": secret(name)}));
    }
    volumes.into()
}

fn secret(name: &str) -> Value {
    json!({"secretName": name, "defaultMode": SECRET_MODE})
}

pub(super) fn mounts(cluster: &Cluster) -> Value {
    let mount =
        |name: &str, path: String| json!({"name": name, "mountPath": path, "readOnly": true});
    let mut mounts = vec![
        mount("documents", DOCUMENTS.to_owned()),
        mount("operator", OPERATOR.to_owned()),
    ];
    if cluster.managed_nats().is_some() {
        mounts.push(mount("nats", NATS.to_owned()));
    }
    for (n, name) in secrets(&cluster.spec).into_iter().enumerate() {
        mounts.push(mount(&format!("secret-{n}"), format!("{SECRETS}/{name}")));
    }
    mounts.into()
}

fn secrets(spec: &RealtimeClusterSpec) -> BTreeSet<&str> {
    let keys = spec
        .secret_refs()
        .into_iter()
        .map(|(_, key)| key.name.as_str());
    let tls = spec.tls.iter().map(|tls| tls.secret_name.as_str());
    keys.chain(tls).collect()
}
