//! The snapshot that a gateway works by.

mod applications;
mod changes;
mod compile;
mod problems;
mod rooms;
mod secrets;

#[cfg(test)]
mod tests;

pub use changes::{Changes, RoomChanges};
pub use secrets::SecretSource;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use sluice_crds::RealtimeClusterSpec;

use self::applications::Applications;
pub use self::applications::{ApplicationLimits, ApplicationRecovery};
use crate::limits::Limits;
use crate::rooms::{RoomPolicy, Table};
use crate::{AuthError, Authenticator, Identity, Origins};

/// What a gateway allows, compiled from the documents. It never changes: a changed document makes
/// a new one, which takes over what has not changed.
#[derive(Debug)]
pub struct Policy {
    /// Counts the snapshots, from 1.
    pub generation: u64,
    /// How many connections this gateway may hold.
    pub max_connections: u32,
    /// How long a client's HTTP connection may stay open without a request.
    pub keep_alive: Duration,
    /// Whether connections of trusted proxies begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Where Socket.IO clients connect, with a slash at both ends.
    pub socketio_path: Box<str>,
    /// What one connection, one user and one address may use.
    pub limits: Limits,
    /// How the two sides of a connection notice that the other is gone.
    pub heartbeat: Heartbeat,
    /// How long a session survives its connection; zero when it does not.
    pub recovery_window: Duration,
    /// The namespaces that are listed; `/` is always among them. Those of applications need not be
    /// listed: ask [`has_namespace`](Self::has_namespace) whether clients may use one.
    pub namespaces: BTreeSet<Box<str>>,
    /// Which web pages may connect.
    pub origins: Origins,
    /// Who may connect.
    pub auth: Auth,
    /// The application's backend.
    pub backend: Option<Backend>,
    /// How connections are moved off this gateway.
    pub drain: Drain,
    rooms: FxHashMap<Box<str>, Table<Arc<RoomPolicy>>>,
    by_name: FxHashMap<Box<str>, Arc<RoomPolicy>>,
    default_room: Option<Arc<RoomPolicy>>,
    applications: Applications,
    source: RealtimeClusterSpec,
    /// A digest of the key that tokens are checked with, to see whether it has changed.
    key_digest: Option<[u8; 32]>,
}

/// How the two sides of a connection notice that the other is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// How often the gateway pings.
    pub interval: Duration,
    /// How long it waits for the answer.
    pub timeout: Duration,
}

/// How connections are moved off a gateway that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// How long strays are still accepted.
    pub settle: Duration,
    /// The time over which connections are moved.
    pub window: Duration,
    /// How many connections may be moved in a second, over all gateways that drain.
    pub connections_per_second: u32,
    /// When the gateway ends even if connections are left.
    pub deadline: Duration,
}

/// The application's backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// How the backend is reached.
    pub via: BackendVia,
    /// How long the gateway waits for an answer.
    pub timeout: Duration,
    /// Whether it is asked about each new session.
    pub ask_on_connect: bool,
    /// What it is told of the request that opened a connection; none where nothing.
    pub handshake: Option<Handshake>,
    /// Whether it is told of each session that ended.
    pub tell_on_disconnect: bool,
}

/// What a backend or an application is told of the request that opened a connection, by names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Headers, in lower case.
    pub headers: Box<[Box<str>]>,
    /// Cookies.
    pub cookies: Box<[Box<str>]>,
    /// Parameters of the URL.
    pub query: Box<[Box<str>]>,
}

/// How the application's backend is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum BackendVia {
    /// The backend subscribes to NATS subjects.
    Nats,
    /// The backend takes HTTP requests.
    Webhook {
        /// Where they are posted to.
        url: Box<str>,
        /// The key that they are signed with.
        key: Box<[u8]>,
    },
}

/// Shows where, and not the key.
impl std::fmt::Debug for BackendVia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nats => f.write_str("Nats"),
            Self::Webhook { url, .. } => f
                .debug_struct("Webhook")
                .field("url", url)
                .finish_non_exhaustive(),
        }
    }
}

/// Who may connect.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Whether a connection needs a token.
    pub required: bool,
    /// How long a connection goes on after its token has expired.
    pub refresh_grace: Duration,
    /// Checks tokens; without it they are not looked at.
    pub tokens: Option<Authenticator>,
}

impl Auth {
    /// Says who a new connection belongs to. Where no token is required, a connection without
    /// one belongs to nobody; a token that is there is checked all the same. `now` is in seconds
    /// since 1970.
    pub fn admit(&self, token: Option<&str>, now: u64) -> Result<Identity, AuthError> {
        match (token, &self.tokens) {
            (Some(token), Some(tokens)) => tokens.authenticate(token, now),
            _ if self.required => Err(AuthError::Missing),
            _ => Ok(Identity::anonymous()),
        }
    }
}

impl Policy {
    /// What the most specific Room that matches says of a room. Where none does, it is one
    /// `RoomPolicy` for all of them when the cluster's `rooms.default` is `Open`, and `None` when
    /// it is `Deny`. It is `None` in a namespace that the cluster does not have.
    ///
    /// It costs one look into a map, and one more for each distinct length of what the patterns
    /// of the namespace begin with, however many Rooms there are.
    pub fn room(&self, namespace: &str, room: &str) -> Option<&Arc<RoomPolicy>> {
        let matching = self.rooms.get(namespace).and_then(|table| table.find(room));
        matching.or_else(|| {
            self.default_room
                .as_ref()
                .filter(|_| self.has_namespace(namespace))
        })
    }

    /// Whether clients may use a namespace: it is listed, or belongs to an application.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces.contains(namespace) || self.application_of(namespace).is_some()
    }

    /// The name of the application that a namespace belongs to. Its clients' events are the
    /// application's alone.
    ///
    /// It costs one look into a map, and one more for each distinct length of what the
    /// applications' patterns begin with.
    pub fn application_of(&self, namespace: &str) -> Option<&Arc<str>> {
        self.applications.of(namespace)
    }

    /// The names of the applications, in the order of the document.
    pub fn applications(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.applications.names()
    }

    /// How much may wait for an application.
    pub fn application_limits(&self, application: &str) -> ApplicationLimits {
        self.applications.limits(application)
    }

    /// How lost connections are recovered in an application's namespaces; `None` where they are not.
    pub fn application_recovery(&self, application: &str) -> Option<ApplicationRecovery> {
        self.applications.recovery(application)
    }

    /// What an application is told of the request that opened a connection; `None` where that is
    /// no header, cookie or parameter, and of an application that there is not.
    pub fn application_handshake(&self, application: &str) -> Option<&Handshake> {
        self.applications.handshake(application)
    }

    /// The Room documents, by name.
    pub fn rooms(&self) -> impl Iterator<Item = &Arc<RoomPolicy>> {
        self.by_name.values()
    }
}
