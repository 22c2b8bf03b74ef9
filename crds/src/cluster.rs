//! The `RealtimeCluster`: one fleet of gateways and everything it needs.

mod application;
mod auth;
mod backbone;
mod backend;
mod gateway;
mod lifecycle;
mod limits;
mod network;
mod observability;
mod status;

pub use application::{Application, ApplicationLimits, ApplicationRecovery};
pub use auth::{Algorithm, Auth, Jwt};
pub use backbone::{Backbone, ExternalNats, ManagedNats, MemoryBackbone, NatsBackbone};
pub use backend::{Backend, Handshake, NatsBackend, WebhookBackend};
pub use gateway::{Autoscaling, Gateway};
pub use lifecycle::{Drain, Heartbeat, Recovery, Rollout};
pub use limits::Limits;
pub use network::{
    GatewayRef, Route, ServerApi, Service, ServiceType, SessionAffinity, SessionAffinityType, Tls,
};
pub use observability::Observability;
pub use status::{ChangeClass, LastChange, PolicyInForce, RealtimeClusterStatus, RolloutProgress};

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretKeyRef;

/// What a fleet of gateways is and does. Every group of fields has defaults; `auth` is the one
/// that must be decided: set `auth.jwt`, or say `auth.required: false`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "RealtimeCluster",
    plural = "realtimeclusters",
    shortname = "rtc",
    category = "sluice",
    namespaced,
    status = "RealtimeClusterStatus",
    derive = "PartialEq",
    doc = "A fleet of gateways that hold WebSocket and Socket.IO connections and move messages between them, the Service in front of it and the backbone behind it.",
    validation = Rule::new("!has(self.metadata.name) || self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')")
        .message("the name of a RealtimeCluster is that of its Services and pods: use at most 40 lower-case letters, digits and '-', and start with a letter"),
    scale(
        spec_replicas_path = ".spec.gateway.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the fleet serves its clients as the spec says."
    ),
    printcolumn(
        name = "Gateways",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "The gateways that run."
    ),
    printcolumn(
        name = "Connections",
        type_ = "integer",
        json_path = ".status.connections",
        description = "The connections that all gateways hold."
    ),
    printcolumn(
        name = "Moving",
        type_ = "integer",
        json_path = ".status.rollout.remaining",
        description = "The connections that a rollout has still to move."
    ),
    printcolumn(
        name = "ETA",
        type_ = "string",
        json_path = ".status.rollout.eta",
        description = "How long the rollout will still take."
    ),
    printcolumn(
        name = "Revision",
        type_ = "string",
        json_path = ".status.revision",
        description = "The revision that gets all new connections.",
        priority = 1
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        description = "Why the fleet is ready or not.",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "When the RealtimeCluster was created."
    )
)]
#[serde(rename_all = "camelCase", default = "RealtimeClusterSpec::default")]
#[x_kube(
    validation = Rule::new("!self.auth.required || has(self.auth.jwt)")
        .message("set auth.jwt to say how tokens are checked, or set auth.required: false to let anyone connect")
        .field_path(".auth.jwt")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("(has(self.backbone) && has(self.backbone.nats)) || (self.gateway.replicas <= 1 && !has(self.gateway.autoscaling))")
        .message("the memory backbone connects nothing outside its own process: set backbone.nats (for example backbone: {nats: {managed: {}}}) to run more than one gateway, or set gateway.replicas: 1 without gateway.autoscaling")
        .field_path(".backbone"),
    validation = Rule::new("!has(self.backend) || !has(self.backend.nats) || (has(self.backbone) && has(self.backbone.nats))")
        .message("a backend that subscribes to NATS needs NATS: set backbone.nats, or use backend.webhook")
        .field_path(".backend"),
    validation = Rule::new("!has(self.applications) || self.applications.size() == 0 || (has(self.backbone) && has(self.backbone.nats))")
        .message("applications speak with the gateways over NATS: set backbone.nats, for example backbone: {nats: {managed: {}}}, or leave applications out")
        .field_path(".applications"),
    validation = Rule::new("!has(self.backend) || !has(self.applications) || (!self.applications.exists(a, '/*' in a.namespaces) && (!self.applications.exists(a, '/' in a.namespaces) || self.namespaces.exists(n, !self.applications.exists(a, n in a.namespaces))))")
        .message("every namespace belongs to an application, so the backend would never be asked: leave backend out, or list in namespaces one that belongs to no application")
        .field_path(".backend")
)]
pub struct RealtimeClusterSpec {
    /// The gateways: how many there are, what each may hold, and how their pods are made.
    pub gateway: Gateway,
    /// The Service that clients reach the gateways through.
    pub service: Service,
    /// A Gateway API `HTTPRoute` to the Service. Without it none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// TLS in the gateways themselves. Without it they speak plain HTTP, and TLS ends before
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The server API, by which backends publish and manage sessions. Without it the API refuses
    /// every call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_api: Option<ServerApi>,
    /// The origins from which a browser may connect, exact (`https://chat.example.com`), with a
    /// wildcard for subdomains (`https://*.example.com`) or for the port (`http://localhost:*`),
    /// or `*` for all. A browser from elsewhere is refused in the handshake. When the list is
    /// empty, only pages of the host that the client connects to are let in. Clients that send no
    /// `Origin` are no browsers and are not affected.
    #[schemars(length(max = 256), inner(length(min = 1, max = 300)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new(r"self.all(o, o == '*' || o.matches('^[a-z][a-z0-9+.-]*://([*][.])?([^*/:@?#\\[\\] ]+|\\[[0-9a-fA-F:.]+\\])(:([*]|[0-9]+))?$'))")
            .message("an origin is a scheme and a host without a path, for example https://chat.example.com, https://*.example.com or http://localhost:*; write * alone to let every origin in")
    )]
    pub origins: Vec<String>,
    /// Who may connect.
    pub auth: Auth,
    /// What one connection, one user and one address may use.
    pub limits: Limits,
    /// How the two sides of a connection notice that the other is gone.
    pub heartbeat: Heartbeat,
    /// How long a session survives its connection.
    pub recovery: Recovery,
    /// The Socket.IO namespaces that clients may use, each with rooms of its own. `/` is always
    /// there, listed or not. A namespace that is not listed is refused.
    #[schemars(length(max = 64), inner(length(min = 1, max = 256)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.startsWith('/'))")
            .message("the name of a namespace starts with /, for example /chat"),
    )]
    pub namespaces: Vec<String>,
    /// Rooms that no `Room` describes.
    pub rooms: RoomsPolicy,
    /// The programs with Socket.IO server code, each with the namespaces that belong to it. It
    /// needs `backbone.nats`. A namespace belongs to one application at most, and `backend` is
    /// never asked of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into()]),
        validation = Rule::new("self.all(a, self.all(b, a.name == b.name || a.namespaces.all(m, m.endsWith('*') ? !b.namespaces.exists(n, n.startsWith(m.substring(0, m.size() - 1))) : !(m in b.namespaces))))")
            .message("a namespace belongs to one application: change the namespaces of two applications so that none is in both, a pattern such as /admin-* counting as all that it matches")
    )]
    pub applications: Vec<Application>,
    /// The application's backend, which gets the events that the gateway does not know itself.
    /// Without it such an event is answered with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<Backend>,
    /// How connections are moved off a gateway that ends, whatever the reason.
    pub drain: Drain,
    /// How a new revision of the gateways takes over.
    pub rollout: Rollout,
    /// What connects the gateways: `memory` or `nats`. Without it, it is `memory`, which is
    /// complete but ends at its process: it takes one gateway, so `gateway.replicas` must be 1
    /// and `gateway.autoscaling` absent. A fleet needs `backbone: {nats: {managed: {}}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backbone: Option<Backbone>,
    /// Traces and metrics.
    pub observability: Observability,
}

impl Default for RealtimeClusterSpec {
    fn default() -> Self {
        Self {
            gateway: Gateway::default(),
            service: Service::default(),
            route: None,
            tls: None,
            server_api: None,
            origins: Vec::new(),
            auth: Auth::default(),
            limits: Limits::default(),
            heartbeat: Heartbeat::default(),
            recovery: Recovery::default(),
            namespaces: vec!["/".to_owned()],
            rooms: RoomsPolicy::default(),
            applications: Vec::new(),
            backend: None,
            drain: Drain::default(),
            rollout: Rollout::default(),
            backbone: None,
            observability: Observability::default(),
        }
    }
}

/// Rooms that no `Room` describes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "RoomsPolicy::default")]
pub struct RoomsPolicy {
    /// What becomes of a room that no `Room` matches. `Deny` refuses to join it and to publish to
    /// it; `Open` lets everyone who may connect do both, with the limits that a `Room` has by
    /// default and without history.
    pub default: RoomsDefault,
}

/// What becomes of a room that no `Room` matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RoomsDefault {
    /// Everyone who may connect may join it and publish to it.
    Open,
    /// Nobody may join it or publish to it.
    #[default]
    Deny,
}

impl RealtimeClusterSpec {
    /// Whether clients may use a namespace: it is `/`, is listed, or belongs to an application.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        namespace == "/"
            || self.namespaces.iter().any(|listed| listed == namespace)
            || self
                .applications
                .iter()
                .any(|application| application.has_namespace(namespace))
    }

    /// Every key of a `Secret` that the cluster refers to, with the path of the field that does.
    /// The certificate is not among them: its Secret is named as a whole.
    pub fn secret_refs(&self) -> Vec<(&'static str, &SecretKeyRef)> {
        let jwt = self
            .auth
            .jwt
            .as_ref()
            .and_then(|jwt| jwt.key_secret_ref.as_ref());
        let webhook = self
            .backend
            .as_ref()
            .and_then(|backend| backend.webhook.as_ref());
        let nats = self
            .backbone
            .as_ref()
            .and_then(|backbone| backbone.nats.as_ref());
        let nats = nats.and_then(|nats| nats.external.as_ref());
        [
            ("spec.auth.jwt.keySecretRef.key", jwt),
            (
                "spec.backend.webhook.secretRef.key",
                webhook.map(|webhook| &webhook.secret_ref),
            ),
            (
                "spec.serverApi.keySecretRef.key",
                self.server_api.as_ref().map(|api| &api.key_secret_ref),
            ),
            (
                "spec.backbone.nats.external.credentialsSecretRef.key",
                nats.and_then(|nats| nats.credentials_secret_ref.as_ref()),
            ),
        ]
        .into_iter()
        .filter_map(|(path, reference)| Some((path, reference?)))
        .collect()
    }
}
