use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Handshake;
use crate::Duration;

/// A program of the user with Socket.IO server code. It gets the events of its namespaces' clients
/// over NATS; connections, rooms and data stay at the gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// The application's name, which its instances say when they connect, and which is part of
    /// its NATS subjects.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("an application's name is a DNS label: use lower-case letters, digits and '-', and neither start nor end with '-'"))]
    pub name: String,
    /// The Socket.IO namespaces that belong to it: exact (`/chat`), or all that begin alike
    /// (`/admin-*`; `/*` is every namespace). They need not be listed in the cluster's
    /// `namespaces`.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 128)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.matches('^/[^*]*[*]?$'))")
            .message("an application's namespace starts with / and may end in one *, for example /chat or /admin-*"),
    )]
    pub namespaces: Vec<String>,
    /// What of the request that opened a connection the application is told. Without it, it is
    /// told no header, cookie or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// Has a client that lost its connection go on with its session, as Socket.IO's connection
    /// state recovery does: with its rooms, its data and what was emitted to it meanwhile. Without
    /// it, such a client begins a new session. With it, events carry one more argument, by which
    /// clients say how far they got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<ApplicationRecovery>,
    /// How much its clients may have waiting for it.
    #[serde(default)]
    pub limits: ApplicationLimits,
}

/// How much may wait for an application. A client of which more waits is not read until there is
/// less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "ApplicationLimits::default")]
#[x_kube(
    validation = Rule::new("self.waitingBytesPerSession <= self.waitingBytes")
        .message("one session may not have more waiting than all sessions together: raise waitingBytes, or lower waitingBytesPerSession")
        .field_path(".waitingBytesPerSession")
)]
pub struct ApplicationLimits {
    /// Bytes of one session's events that may wait at its gateway for an instance.
    #[schemars(range(min = 1024, max = 4_194_304))]
    pub waiting_bytes_per_session: u32,
    /// Bytes of all sessions' events that may wait at one gateway. Beyond it, those of which
    /// anything waits are not read. What waits for other applications is counted too.
    #[schemars(range(min = 1_048_576, max = 4_294_967_295_u32))]
    pub waiting_bytes: u32,
    /// How long a client is not read before its connection is closed with `overloaded`, so that it
    /// comes back.
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('10m')")
        .message("a client that is not read is closed after 1s to 10m, for example 30s"))]
    pub unread_for: Duration,
}

impl Default for ApplicationLimits {
    fn default() -> Self {
        Self {
            waiting_bytes_per_session: 65_536,
            waiting_bytes: 67_108_864,
            unread_for: Duration::from_secs(30),
        }
    }
}

/// How lost connections are recovered in an application's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "ApplicationRecovery::default")]
pub struct ApplicationRecovery {
    /// How long after its connection is lost a client can come back to its session.
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('1h')")
        .message("the window of an application's recovery is 1s to 1h, for example 2m; leave recovery out to have none"))]
    pub window: Duration,
    /// Bytes that each gateway keeps for it, of what was emitted and of sessions without a
    /// connection. What is older than has space is forgotten, and a client that missed some of that
    /// begins a new session.
    #[schemars(range(min = 1_048_576, max = 4_294_967_295_u32))]
    pub bytes: u32,
}

impl Default for ApplicationRecovery {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            bytes: 67_108_864,
        }
    }
}

impl Application {
    /// Whether a namespace belongs to it.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => namespace.starts_with(prefix),
                None => namespace == pattern,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_belongs_to_an_application_by_its_name_or_by_how_it_begins() {
        let application = Application {
            name: "chat".to_owned(),
            namespaces: vec!["/".to_owned(), "/admin-*".to_owned()],
            handshake: None,
            recovery: None,
            limits: ApplicationLimits::default(),
        };
        for (namespace, has) in [
            ("/", true),
            ("/admin-", true),
            ("/admin-7", true),
            ("/admin", false),
            ("/chat", false),
        ] {
            assert_eq!(application.has_namespace(namespace), has, "{namespace}");
        }
    }
}
