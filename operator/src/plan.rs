//! The objects that should be: a pure function of what was read and checked.
//!
//! Nothing here asks anybody or can fail: whatever could be wrong was found before, when the resources
//! were checked.

mod access;
mod budget;
mod deployment;
mod documents;
mod monitor;
pub(crate) mod names;
mod nats;
mod pod;
mod route;
mod secrets;
mod services;

use serde_json::{Map, Value, json};
use sluice_contract::ENVELOPE_BYTES;
use sluice_crds::{Durability, RealtimeClusterSpec};

use self::names::Names;
pub use self::nats::Keys as NatsKeys;
pub(crate) use self::{
    documents::FILE,
    nats::{
        FORMER_BACKEND, Needed, application_of, application_user, durability, majority,
        operator_urls,
    },
};
use crate::Kind;

/// The field manager of everything that the operator applies.
pub(crate) const MANAGER: &str = "sluice-operator";

/// The annotation with the digest of what was applied: by it one sees that a field is to go.
pub(crate) const APPLIED: &str = "sluice.dev/applied";

/// The images that are run where a `RealtimeCluster` names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The gateway's.
    pub gateway: String,
    /// The NATS server's.
    pub nats: String,
}

/// Which of the APIs that others bring are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apis {
    /// `HTTPRoute` of the Gateway API.
    pub http_route: bool,
    /// `PodMonitor` of the Prometheus operator.
    pub pod_monitor: bool,
}

impl Apis {
    /// Whether objects of the kind can be made.
    pub const fn have(self, kind: Kind) -> bool {
        match kind {
            Kind::HttpRoute => self.http_route,
            Kind::PodMonitor => self.pod_monitor,
            _ => true,
        }
    }
}

/// What the operator made up for a cluster, and keeps in Secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The key with which the operator calls the gateways' server API.
    pub operator: String,
    /// The passwords of the NATS servers.
    pub nats: NatsKeys,
}

/// Shows nothing of the keys.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// A `RealtimeCluster` that was found to be right.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The Kubernetes namespace that it is in.
    pub namespace: String,
    /// Its identity.
    pub uid: String,
    /// What is wanted of it.
    pub spec: RealtimeClusterSpec,
}

impl Cluster {
    /// What its objects are called.
    pub(crate) fn names(&self) -> Names<'_> {
        Names(&self.name)
    }

    /// The most bytes of a message that NATS servers must take for what clients may send.
    pub(crate) fn largest_message(&self) -> usize {
        self.spec.limits.payload_bytes() as usize + ENVELOPE_BYTES
    }

    /// What the NATS servers are like, if the operator runs them.
    pub(crate) fn managed_nats(&self) -> Option<&sluice_crds::cluster::ManagedNats> {
        self.nats()?.managed.as_ref()
    }

    /// The backbone, if it is NATS.
    pub(crate) fn nats(&self) -> Option<&sluice_crds::cluster::NatsBackbone> {
        self.spec.backbone.as_ref()?.nats.as_ref()
    }
}

/// Everything that the plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The fleet that is wanted.
    pub cluster: &'a Cluster,
    /// What its gateways work by, as text.
    pub documents: &'a str,
    /// The keys that were made up for it.
    pub keys: &'a Keys,
    /// The images of this release.
    pub images: &'a Images,
    /// The APIs that are there.
    pub apis: Apis,
    /// The Kubernetes namespace that the operator runs in.
    pub operator_namespace: &'a str,
    /// How NATS servers that are there keep what they acknowledge; `None` where there are none.
    pub durability: Option<Durability>,
}

/// One object that should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its kind.
    pub kind: Kind,
    /// Its name; it is in the namespace of its cluster.
    pub name: String,
    /// The whole object, with every field that the operator decides and no other.
    pub value: Value,
}

/// All objects that should be, in the order in which they are to be made; without Deployments,
/// whose sizes others decide, see [`deployment()`].
pub fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    let mut objects = access::plan(inputs);
    objects.push(secrets::operator_key(inputs));
    objects.extend(nats::secrets(inputs));
    objects.push(documents::plan(inputs));
    objects.extend(services::plan(inputs));
    objects.extend(budget::plan(inputs));
    objects.extend(nats::plan(inputs));
    objects.extend(route::plan(inputs));
    objects.extend(monitor::plan(inputs));
    objects.sort_by_key(|object| object.kind);
    objects
}

/// The revision of the gateways that is wanted: what is the same where their pods are.
pub fn revision(inputs: &Inputs<'_>) -> String {
    deployment::revision(inputs)
}

/// The Deployment of the wanted revision, of so many gateways.
pub fn deployment(inputs: &Inputs<'_>, replicas: u32) -> Planned {
    deployment::plan(inputs, replicas)
}

/// An object of the cluster: with its name, its labels and its owner, and the fields of `body`.
fn object(cluster: &Cluster, kind: Kind, name: String, component: &str, body: Value) -> Planned {
    let mut all = Map::new();
    all.insert("apiVersion".to_owned(), kind.api_version().into());
    all.insert("kind".to_owned(), kind.name().into());
    all.insert(
        "metadata".to_owned(),
        json!({
            "name": name,
            "namespace": cluster.namespace,
            "labels": cluster.names().labels(component),
            "ownerReferences": [owner(cluster)],
        }),
    );
    if let Value::Object(body) = body {
        all.extend(body);
    }
    Planned {
        kind,
        name,
        value: Value::Object(all),
    }
}

fn owner(cluster: &Cluster) -> Value {
    json!({
        "apiVersion": sluice_crds::API_VERSION,
        "kind": "RealtimeCluster",
        "name": cluster.name,
        "uid": cluster.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// Adds a field to an object, unless there is nothing to add.
fn set(target: &mut Value, field: &str, value: Value) {
    let empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if let (false, Value::Object(map)) = (empty, target) {
        map.insert(field.to_owned(), value);
    }
}

/// A value of the custom resource as JSON.
fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
