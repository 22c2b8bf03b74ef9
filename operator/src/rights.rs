//! What the operator may do: no more than it needs, and tests run it with just this.

/// A right: verbs on resources of an API group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resources, in the plural.
    pub resources: &'static [&'static str],
    /// What may be done to them.
    pub verbs: &'static [&'static str],
}

const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// The rights that it needs in every Kubernetes namespace that it works in.
pub const IN_NAMESPACES: &[Right] = &[
    Right {
        group: "sluice.dev",
        resources: &["realtimeclusters"],
        verbs: &["get", "list", "watch"],
    },
    Right {
        group: "sluice.dev",
        resources: &["rooms"],
        // The last for finalizers.
        verbs: &["get", "list", "watch", "patch"],
    },
    Right {
        group: "sluice.dev",
        resources: &["realtimeclusters/status", "rooms/status"],
        verbs: &["patch"],
    },
    Right {
        group: "sluice.dev",
        // To own what it makes.
        resources: &["realtimeclusters/finalizers"],
        verbs: &["update"],
    },
    Right {
        group: "",
        resources: &["configmaps", "services", "serviceaccounts"],
        verbs: OWN,
    },
    Right {
        group: "",
        resources: &["secrets"],
        // By name: to list or watch them is to read them all at once.
        verbs: &["get", "create", "patch", "delete"],
    },
    Right {
        group: "",
        resources: &["pods"],
        verbs: &["get", "list", "watch", "patch"],
    },
    Right {
        group: "apps",
        resources: &["deployments", "statefulsets"],
        verbs: OWN,
    },
    Right {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: OWN,
    },
    Right {
        group: "networking.k8s.io",
        resources: &["networkpolicies"],
        verbs: OWN,
    },
    Right {
        group: "gateway.networking.k8s.io",
        resources: &["httproutes"],
        verbs: OWN,
    },
    Right {
        group: "monitoring.coreos.com",
        resources: &["podmonitors"],
        verbs: OWN,
    },
    Right {
        group: "events.k8s.io",
        resources: &["events"],
        verbs: &["create", "patch"],
    },
];

/// The rights that it needs for the cluster as a whole, unless it works in one namespace.
pub const IN_CLUSTER: &[Right] = &[Right {
    group: "",
    resources: &["nodes"],
    verbs: &["list", "watch"],
}];

/// The rights that it needs in the Kubernetes namespace that it runs in.
pub const AT_HOME: &[Right] = &[Right {
    group: "coordination.k8s.io",
    resources: &["leases"],
    verbs: &["get", "create", "update"],
}];
