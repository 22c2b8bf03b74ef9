//! Compiling documents.

mod auth;
mod backend;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use sluice_crds::cluster;
use sluice_crds::{Documents, Problem, RealtimeClusterSpec, SecretKeyRef};

use super::applications::Applications;
use super::problems::Problems;
use super::{Drain, Heartbeat, Policy, SecretSource, rooms};
use crate::limits::{Limits, Rate, TrustedProxies};
use crate::{Authenticator, Origins, RoomPolicy};

impl Policy {
    /// Compiles documents that were checked (see [`sluice_crds::load()`]), with the Secrets that
    /// they refer to. What has not changed since `previous` is taken over, published keys among
    /// it; the task that reads new ones is started by whoever takes the snapshot into use, see
    /// [`start`](Self::start).
    ///
    /// # Errors
    /// Every problem there is, each with its document and field.
    pub fn compile(
        documents: &Documents,
        secrets: &dyn SecretSource,
        previous: Option<&Self>,
    ) -> Result<Self, Vec<Problem>> {
        let spec = &documents.cluster.spec;
        let name = documents
            .cluster
            .metadata
            .name
            .as_deref()
            .unwrap_or_default();
        let mut compiler = Compiler {
            spec,
            subject: format!("RealtimeCluster {name}"),
            secrets,
            previous,
            problems: Problems::default(),
        };
        let origins = compiler.origins();
        let limits = compiler.limits();
        let auth = compiler.auth();
        let backend = compiler.backend();
        let by_name = rooms::by_name(documents, previous, &mut compiler.problems);
        let (Some(origins), Some(limits), Some((auth, key_digest)), true) =
            (origins, limits, auth, compiler.problems.is_empty())
        else {
            return Err(compiler.problems.into_vec());
        };
        Ok(Self {
            generation: previous.map_or(0, |previous| previous.generation) + 1,
            max_connections: spec.gateway.max_connections,
            keep_alive: spec.gateway.keep_alive().as_std(),
            proxy_protocol: spec.gateway.proxy_protocol,
            socketio_path: socketio_path(spec.gateway.socketio_path.as_deref()),
            limits,
            heartbeat: heartbeat(&spec.heartbeat),
            recovery_window: spec.recovery.window.as_std(),
            namespaces: namespaces(spec),
            origins,
            auth,
            backend,
            drain: drain(&spec.drain),
            applications: Applications::new(&spec.applications),
            rooms: rooms::by_namespace(&by_name),
            by_name,
            default_room: default_room(spec, previous),
            source: spec.clone(),
            key_digest,
        })
    }

    /// Starts what the snapshot needs running, on the runtime of the caller: the task that reads
    /// published keys, unless it runs already. It ends when no snapshot needs it.
    pub fn start(&self) {
        if let Some(jwks) = self.auth.tokens.as_ref().and_then(Authenticator::jwks) {
            jwks.start();
        }
    }
}

struct Compiler<'c> {
    spec: &'c RealtimeClusterSpec,
    subject: String,
    secrets: &'c dyn SecretSource,
    previous: Option<&'c Policy>,
    problems: Problems,
}

impl Compiler<'_> {
    fn invalid(&mut self, path: impl Into<String>, what: impl Display) {
        self.problems.invalid(&self.subject, path, what);
    }

    fn origins(&mut self) -> Option<Origins> {
        Origins::parse(&self.spec.origins)
            .map_err(|errors| {
                for (index, error) in errors {
                    self.invalid(format!("spec.origins[{index}]"), error);
                }
            })
            .ok()
    }

    fn limits(&mut self) -> Option<Limits> {
        let limits = &self.spec.limits;
        let trusted_proxies = TrustedProxies::parse(&limits.trusted_proxies)
            .map_err(|errors| {
                for (index, error) in errors {
                    self.invalid(format!("spec.limits.trustedProxies[{index}]"), error);
                }
            })
            .ok()?;
        Some(Limits {
            connections_per_ip: limits.connections_per_ip,
            connections_per_user: limits.connections_per_user,
            messages: Rate::per_second(limits.messages_per_second),
            payload_bytes: limits.payload_bytes() as usize,
            outbound_bytes: limits.outbound_bytes as usize,
            joins_per_connection: limits.joins_per_connection,
            in_flight: limits.in_flight,
            trusted_proxies,
        })
    }

    fn secret(&mut self, path: &str, reference: &SecretKeyRef) -> Option<Vec<u8>> {
        let found = self.secrets.get(reference);
        if found.is_none() {
            let SecretKeyRef { name, key } = reference;
            let message = format!(
                "there is no Secret {name} with the key {key}: create it, or name the one that there is"
            );
            self.problems.missing(&self.subject, path, message);
        }
        found
    }
}

fn socketio_path(path: Option<&str>) -> Box<str> {
    let path = path.unwrap_or("/socket.io/");
    format!("{}/", path.trim_end_matches('/')).into()
}

fn namespaces(spec: &RealtimeClusterSpec) -> BTreeSet<Box<str>> {
    spec.namespaces
        .iter()
        .map(String::as_str)
        .chain(["/"])
        .map(Box::from)
        .collect()
}

fn heartbeat(spec: &cluster::Heartbeat) -> Heartbeat {
    Heartbeat {
        interval: spec.interval.as_std(),
        timeout: spec.timeout.as_std(),
    }
}

fn drain(spec: &cluster::Drain) -> Drain {
    Drain {
        settle: spec.settle.as_std(),
        window: spec.window.as_std(),
        connections_per_second: spec.connections_per_second,
        deadline: spec.deadline.as_std(),
    }
}

/// The earlier snapshot's, if it had one, so that what was looked up stays the same.
fn default_room(spec: &RealtimeClusterSpec, previous: Option<&Policy>) -> Option<Arc<RoomPolicy>> {
    let made = rooms::without_document(spec.rooms.default)?;
    Some(
        previous
            .and_then(|previous| previous.default_room.clone())
            .unwrap_or(made),
    )
}
