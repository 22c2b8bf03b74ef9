use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, LocalObjectReference, ResourceRequirements, Toleration, TopologySpreadConstraint,
};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, passthrough::plain};

/// The gateways: how many there are, what each may hold, and how their pods are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Gateway::default")]
#[x_kube(
    validation = Rule::new("!has(self.autoscaling) || self.autoscaling.connectionsPerPod <= self.maxConnections")
        .message("connectionsPerPod is more than a gateway takes: lower it to gateway.maxConnections or less, or raise gateway.maxConnections")
        .field_path(".autoscaling.connectionsPerPod")
)]
pub struct Gateway {
    /// How many gateways run. It is left alone when `autoscaling` is set. More than one needs
    /// `backbone.nats`.
    #[schemars(range(max = 1000))]
    pub replicas: u32,
    /// Lets the number of gateways follow the number of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// How many connections one gateway takes. Any more are refused in the handshake, with an
    /// answer that tells the client to come back.
    #[schemars(range(min = 1))]
    pub max_connections: u32,
    /// How many threads a gateway serves connections with. Without it, one for each core that the
    /// pod may use.
    #[schemars(range(min = 1, max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Whether WebSocket messages are compressed (permessage-deflate, RFC 7692) for clients that
    /// offer it. It saves bandwidth for messages of 256 bytes and more, and costs processor time
    /// for each message, not for each member who gets it, and no memory for a connection.
    pub compression: bool,
    /// The path that Socket.IO clients connect to, which is their option `path`. Without it,
    /// `/socket.io/`. The slash at its end may be left out, here and by clients.
    #[schemars(length(min = 2, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^(/[A-Za-z0-9._~-]+)+/?$') && self != '/ws' && self != '/ws/'")
        .message("write a path of letters, digits and ._~- between slashes, for example /realtime/; /ws is the plain protocol's"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socketio_path: Option<String>,
    /// How long an HTTP connection of a client or a balancer may stay open without a request. Longer
    /// than a balancer in front keeps connections that it does not use, or it sends requests over
    /// some that have just ended. Without it, `80s`.
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s')")
        .message("keepAlive is how long HTTP connections may be silent: write 1s or more, for example 80s"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<Duration>,
    /// Whether connections from `limits.trustedProxies` begin with a header of the PROXY protocol,
    /// version 1 or 2, which names the client, as balancers of TCP send it. Connections from
    /// elsewhere have none.
    pub proxy_protocol: bool,
    /// Whether some connections are moved to gateways that have far fewer, for example after their
    /// number grew. A fleet that is about even is left alone.
    pub rebalance: bool,
    /// The image of the gateway. Without it, the one that the operator was released with.
    #[schemars(length(min = 1, max = 500))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Secrets with which the image is pulled.
    #[schemars(schema_with = "plain::<Vec<LocalObjectReference>>")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The processor and memory that a gateway's container asks for and is held to, as in a
    /// container of a Pod.
    #[schemars(schema_with = "plain::<ResourceRequirements>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// The labels of nodes that gateways may run on.
    pub node_selector: BTreeMap<String, String>,
    /// The taints of nodes that gateways tolerate, as in a Pod. A gateway on a node that is not
    /// ready or cannot be reached is replaced after 30 seconds, unless there is one here that says
    /// otherwise.
    #[schemars(schema_with = "plain::<Vec<Toleration>>")]
    pub tolerations: Vec<Toleration>,
    /// Rules for where gateways run, beside which pods and on which nodes, as in a Pod.
    #[schemars(schema_with = "plain::<Affinity>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How gateways are spread over nodes and zones, as in a Pod. Without it, those of a revision
    /// evenly over both as far as that is possible.
    #[schemars(schema_with = "plain::<Vec<TopologySpreadConstraint>>")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The class that says which pods give way when a node is full.
    #[schemars(length(min = 1, max = 253))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
    /// Labels for the gateways' pods, beside those that the operator sets.
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations for the gateways' pods.
    pub pod_annotations: BTreeMap<String, String>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            replicas: 1,
            autoscaling: None,
            max_connections: 50_000,
            workers: None,
            compression: false,
            socketio_path: None,
            keep_alive: None,
            proxy_protocol: false,
            rebalance: true,
            image: None,
            image_pull_secrets: Vec::new(),
            resources: None,
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            affinity: None,
            topology_spread_constraints: Vec::new(),
            priority_class_name: None,
            pod_labels: BTreeMap::new(),
            pod_annotations: BTreeMap::new(),
        }
    }
}

impl Gateway {
    /// How long an HTTP connection may stay open without a request.
    pub fn keep_alive(&self) -> Duration {
        self.keep_alive.unwrap_or(Duration::from_secs(80))
    }
}

/// Lets the number of gateways follow the number of connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Autoscaling::default")]
#[x_kube(
    validation = Rule::new("self.minReplicas <= self.maxReplicas")
        .message("minReplicas is more than maxReplicas: lower minReplicas or raise maxReplicas")
        .field_path(".minReplicas")
)]
pub struct Autoscaling {
    /// The fewest gateways that run.
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: u32,
    /// The most gateways that run.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: u32,
    /// How many connections a gateway should hold on average. It leaves room below
    /// `maxConnections` for those that move when another gateway ends.
    #[schemars(range(min = 1))]
    pub connections_per_pod: u32,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            min_replicas: 3,
            max_replicas: 30,
            connections_per_pod: 30_000,
        }
    }
}
