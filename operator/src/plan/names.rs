//! What objects are called, and the labels by which they are found.

use serde_json::{Value, json};

/// The label with the cluster's name, on every object and pod.
pub(crate) const CLUSTER: &str = "sluice.dev/cluster";

/// The label of pods that get new connections, with the value `true`.
pub(crate) const SERVING: &str = "sluice.dev/serving";

/// The label of pods and Deployments that says which revision they are.
pub(crate) const REVISION: &str = "sluice.dev/revision";

/// The label that says what a pod does: [`GATEWAY`] or [`NATS`].
pub(crate) const COMPONENT: &str = "app.kubernetes.io/component";

/// The label by which the operator finds what it made.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The component of gateways.
pub(crate) const GATEWAY: &str = "gateway";

/// The component of NATS servers.
pub(crate) const NATS: &str = "nats";

/// The names of a cluster's objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a>(pub &'a str);

impl Names<'_> {
    /// The Service for clients, and the route to it.
    pub(crate) fn clients(self) -> String {
        self.0.to_owned()
    }

    /// Everything that is about the gateways as a whole.
    pub(crate) fn gateways(self) -> String {
        format!("{}-gateways", self.0)
    }

    /// The Service for backends.
    pub(crate) fn api(self) -> String {
        format!("{}-api", self.0)
    }

    /// The `ConfigMap` with the documents.
    pub(crate) fn documents(self) -> String {
        format!("{}-documents", self.0)
    }

    /// The Deployment of a revision.
    pub(crate) fn deployment(self, revision: &str) -> String {
        format!("{}-{revision}", self.0)
    }

    /// The Secret with the operator's own key.
    pub(crate) fn operator_key(self) -> String {
        format!("{}-operator", self.0)
    }

    /// The NATS servers and everything that is about them as a whole.
    pub(crate) fn nats(self) -> String {
        format!("{}-nats", self.0)
    }

    /// The Secret by which a user of NATS logs in.
    pub(crate) fn nats_login(self, user: &str) -> String {
        format!("{}-nats-{user}", self.0)
    }

    /// The labels of an object of the component.
    pub(crate) fn labels(self, component: &str) -> Value {
        json!({
            "app.kubernetes.io/name": format!("sluice-{component}"),
            "app.kubernetes.io/instance": self.0,
            COMPONENT: component,
            "app.kubernetes.io/part-of": "sluice",
            MANAGED_BY: super::MANAGER,
            CLUSTER: self.0,
        })
    }

    /// The labels by which pods of the component are selected.
    pub(crate) fn selector(self, component: &str) -> Value {
        json!({CLUSTER: self.0, COMPONENT: component})
    }

    /// The labels of gateways as a query has them, for `kubectl` and the scale subresource.
    pub(crate) fn gateway_selector(self) -> String {
        format!("{COMPONENT}={GATEWAY},{CLUSTER}={}", self.0)
    }
}
