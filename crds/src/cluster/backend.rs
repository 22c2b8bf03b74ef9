use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, SecretKeyRef};

/// The application's backend. It answers the events that the gateway does not know itself; its
/// answer is the acknowledgement that the client gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Backend::default")]
#[x_kube(
    validation = Rule::new("has(self.nats) != has(self.webhook)")
        .message("set one of backend.nats and backend.webhook: nats if the backend subscribes to subjects, webhook if it takes HTTP requests")
)]
pub struct Backend {
    /// The backend subscribes to NATS subjects and answers there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats: Option<NatsBackend>,
    /// The backend takes HTTP requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookBackend>,
    /// Whether the backend is asked about each new session. It accepts it, with the rooms that it
    /// is to be in, or refuses it with a reason.
    pub ask_on_connect: bool,
    /// What of the request that opened a connection the backend is told when it is asked about a
    /// session. Without it, it is told nothing of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// Whether the backend is told of each session that ended. There is a bound on how many a
    /// second; beyond it they are told of together.
    pub tell_on_disconnect: bool,
}

/// What of a client's request the backend is told, beside the client's address and the `auth` that
/// it sent. What is not named here stays at the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Handshake::default")]
pub struct Handshake {
    /// The names of headers, in any case.
    #[schemars(length(max = 32), inner(length(min = 1, max = 128)))]
    pub headers: Vec<String>,
    /// The names of cookies.
    #[schemars(length(max = 32), inner(length(min = 1, max = 128)))]
    pub cookies: Vec<String>,
    /// The names of parameters in the URL.
    #[schemars(length(max = 32), inner(length(min = 1, max = 128)))]
    pub query: Vec<String>,
}

/// A backend that subscribes to NATS subjects. It needs `backbone.nats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "NatsBackend::default")]
pub struct NatsBackend {
    /// How long the gateway waits for an answer.
    #[x_kube(validation = Rule::new("duration(self) > duration('0s')")
        .message("a backend needs time to answer: set a timeout above zero, for example 5s"))]
    pub timeout: Duration,
}

impl Default for NatsBackend {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
        }
    }
}

/// A backend that takes HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBackend {
    /// Where events are posted to.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^https?://[^/ ]')")
        .message("write a URL with its scheme, for example https://backend.example.com/sluice"))]
    pub url: String,
    /// The key that requests are signed with, so that the backend can tell that they come from
    /// here.
    pub secret_ref: SecretKeyRef,
    /// How long the gateway waits for an answer, all tries together.
    #[serde(default = "WebhookBackend::default_timeout")]
    #[x_kube(validation = Rule::new("duration(self) > duration('0s')")
        .message("a backend needs time to answer: set a timeout above zero, for example 5s"))]
    pub timeout: Duration,
}

impl WebhookBackend {
    fn default_timeout() -> Duration {
        Duration::from_secs(5)
    }
}
