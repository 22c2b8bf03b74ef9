//! The kinds of objects that the operator reads and makes.

use std::borrow::Cow;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What a user asks for: a fleet.
    RealtimeCluster,
    /// What a user asks for: rooms.
    Room,
    /// A gateway or a NATS server that runs.
    Pod,
    /// Where pods run.
    Node,
    /// What pods run as.
    ServiceAccount,
    /// Keys.
    Secret,
    /// Documents and configuration.
    ConfigMap,
    /// How pods are reached.
    Service,
    /// Who may reach pods.
    NetworkPolicy,
    /// How many pods may be evicted at once.
    PodDisruptionBudget,
    /// NATS servers.
    StatefulSet,
    /// Gateways of one revision.
    Deployment,
    /// A route of the Gateway API.
    HttpRoute,
    /// How the Prometheus operator finds pods.
    PodMonitor,
}

impl Kind {
    /// The kinds that a fleet is made of, in the order in which objects are made.
    pub const MADE: [Self; 10] = [
        Self::ServiceAccount,
        Self::Secret,
        Self::ConfigMap,
        Self::Service,
        Self::NetworkPolicy,
        Self::PodDisruptionBudget,
        Self::StatefulSet,
        Self::Deployment,
        Self::HttpRoute,
        Self::PodMonitor,
    ];

    const fn names(self) -> [&'static str; 4] {
        match self {
            Self::RealtimeCluster => [
                "sluice.dev",
                "v1alpha1",
                "RealtimeCluster",
                "realtimeclusters",
            ],
            Self::Room => ["sluice.dev", "v1alpha1", "Room", "rooms"],
            Self::Pod => ["", "v1", "Pod", "pods"],
            Self::Node => ["", "v1", "Node", "nodes"],
            Self::ServiceAccount => ["", "v1", "ServiceAccount", "serviceaccounts"],
            Self::Secret => ["", "v1", "Secret", "secrets"],
            Self::ConfigMap => ["", "v1", "ConfigMap", "configmaps"],
            Self::Service => ["", "v1", "Service", "services"],
            Self::NetworkPolicy => [
                "networking.k8s.io",
                "v1",
                "NetworkPolicy",
                "networkpolicies",
            ],
            Self::PodDisruptionBudget => [
                "policy",
                "v1",
                "PodDisruptionBudget",
                "poddisruptionbudgets",
            ],
            Self::StatefulSet => ["apps", "v1", "StatefulSet", "statefulsets"],
            Self::Deployment => ["apps", "v1", "Deployment", "deployments"],
            Self::HttpRoute => ["gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"],
            Self::PodMonitor => ["monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"],
        }
    }

    /// The group of its API, empty for the core.
    pub const fn group(self) -> &'static str {
        self.names()[0]
    }

    /// The version of its API.
    pub const fn version(self) -> &'static str {
        self.names()[1]
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.names()[2]
    }

    /// Its name in paths.
    pub const fn plural(self) -> &'static str {
        self.names()[3]
    }

    /// As an object says it: `apps/v1`.
    pub fn api_version(self) -> Cow<'static, str> {
        match self.group() {
            "" => self.version().into(),
            group => format!("{group}/{}", self.version()).into(),
        }
    }

    /// Whether the API may be missing, since others bring it.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::HttpRoute | Self::PodMonitor)
    }

    /// Whether changes of such objects are watched. Secrets are not: that needs the right to read
    /// every Secret there is at once.
    pub const fn is_watched(self) -> bool {
        !matches!(self, Self::Secret)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
