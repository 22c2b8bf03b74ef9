use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretKeyRef;

/// The Service that clients reach the gateways through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Service::default")]
pub struct Service {
    /// How the Service is reached: `ClusterIP` from inside the cluster, `NodePort` also at a port
    /// of each node, `LoadBalancer` also at an address of the cloud.
    #[serde(rename = "type")]
    pub type_: ServiceType,
    /// The port of the Service.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Whether a client's requests go to the same gateway. It saves work for clients that poll;
    /// nothing depends on it.
    pub session_affinity: SessionAffinity,
    /// Annotations for the Service, for example for the cloud's load balancer.
    pub annotations: BTreeMap<String, String>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            type_: ServiceType::ClusterIP,
            port: 80,
            session_affinity: SessionAffinity::default(),
            annotations: BTreeMap::new(),
        }
    }
}

/// How a Service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// From inside the cluster.
    ClusterIP,
    /// Also at a port of each node.
    NodePort,
    /// Also at an address of the cloud.
    LoadBalancer,
}

/// Whether a client's requests go to the same gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "SessionAffinity::default")]
pub struct SessionAffinity {
    /// `ClientIP` sends all requests of one address to one gateway, `None` sends each anywhere.
    #[serde(rename = "type")]
    pub type_: SessionAffinityType,
    /// For how many seconds after its last request an address stays with its gateway.
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: u32,
}

impl Default for SessionAffinity {
    fn default() -> Self {
        Self {
            type_: SessionAffinityType::ClientIP,
            timeout_seconds: 10_800,
        }
    }
}

/// By what a client's requests are kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SessionAffinityType {
    /// By the client's address.
    ClientIP,
    /// Not at all.
    None,
}

/// A Gateway API `HTTPRoute` to the Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// The `Gateway` of the Gateway API that the route belongs to.
    pub gateway_ref: GatewayRef,
    /// The host names that the route takes. Without any, those of the `Gateway`'s listener.
    #[serde(default)]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub hostnames: Vec<String>,
}

/// Names a `Gateway` of the Gateway API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRef {
    /// The `Gateway`'s name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The Kubernetes namespace of the `Gateway`. Without it, that of the `RealtimeCluster`.
    #[schemars(length(min = 1, max = 63))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The listener of the `Gateway`. Without it, every listener that fits.
    #[schemars(length(min = 1, max = 253))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// TLS in the gateways themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// A Secret of type `kubernetes.io/tls`, with the keys `tls.crt` and `tls.key`. When it
    /// changes, new connections get the new certificate; those that are open stay.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
}

/// The server API, by which backends publish and manage sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerApi {
    /// The bearer keys that the API takes, one a line, each at least 16 characters long. While
    /// one key replaces another, list both.
    pub key_secret_ref: SecretKeyRef,
}
