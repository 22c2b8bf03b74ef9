//! A gateway's place in a fleet: its backbone, by what the documents say.

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use sluice_backbone::{Backbone, Memory, Sink};
use sluice_bucket::{Connection, Login};
use sluice_crds::{Documents, cluster::NatsBackbone};
use sluice_nats::{
    Names, Nats,
    core::{Draining, Identity, PolicyStatus, State, Status},
    link::{Auth, Credentials, Options, ServerUrl},
    streams::{self, Wanted},
};
use tokio::{runtime::Runtime, sync::watch, time::MissedTickBehavior};

use super::Setup;
use crate::{documents::Secrets, drain::Drainer, rules, shared::Shared};

/// How long a gateway waits for NATS before it is ready without.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many copies of each message NATS servers keep that are there already, where they are a
/// cluster.
const REPLICAS: usize = 3;

/// Where the server of a managed NATS listens.
const PORT: u16 = 4222;

/// The backbone of this gateway, and its connection where that is NATS.
pub(crate) struct Fleet {
    pub(crate) backbone: Arc<dyn Backbone>,
    pub(crate) nats: Option<Arc<Nats>>,
    wanted: Option<watch::Sender<Wanted>>,
}

impl Fleet {
    /// The backbone that the documents name. NATS is connected to in the background, so that a
    /// gateway starts without it.
    ///
    /// # Errors
    /// Where the documents name servers or credentials that cannot be used.
    pub(crate) fn new(
        documents: &Documents,
        setup: &Setup,
        (number, sink): (u32, Arc<dyn Sink>),
        connection: Option<&Connection>,
        runtime: &Runtime,
    ) -> io::Result<Self> {
        let backbone = documents.cluster.spec.backbone.as_ref();
        let Some(spec) = backbone.and_then(|backbone| backbone.nats.as_ref()) else {
            return Ok(Self {
                backbone: Arc::new(Memory::new(sink)),
                nats: None,
                wanted: None,
            });
        };
        let names = names(documents);
        let secrets = setup.secrets.as_deref();
        let access = Access::read(documents, setup.nats.as_deref(), spec, secrets)?;
        let identity = Identity {
            gateway: number,
            name: setup.name.as_str().into(),
            names: names.clone(),
            seed: rand::random(),
        };
        let nats = Nats::start(identity, sink, access.options(&setup.name)?)?;
        nats.with(|core, _, _| core.set_recovery_window(window(documents)));
        let (wanted, watched) = watch::channel(wanted(documents));
        let again = nats.connects();
        if let Some(connection) = connection {
            let client = connection.client().clone();
            runtime.spawn(streams::keep(client, names, watched, again));
        }
        Ok(Self {
            backbone: Arc::clone(&nats) as _,
            nats: Some(nats),
            wanted: Some(wanted),
        })
    }

    /// Other documents hold.
    pub(crate) fn reload(&self, documents: &Documents) {
        if let Some(wanted) = &self.wanted {
            wanted.send_replace(self::wanted(documents));
        }
        if let Some(nats) = &self.nats {
            nats.with(|core, _, _| core.set_recovery_window(window(documents)));
        }
    }
}

/// Whether a gateway knows its fleet.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    nats: Option<Arc<Nats>>,
    until: Instant,
}

impl Standing {
    /// That of a gateway that starts now.
    pub(crate) fn new(nats: Option<Arc<Nats>>) -> Self {
        Self {
            nats,
            until: Instant::now() + PATIENCE,
        }
    }

    /// Whether it does, or has waited for NATS for long enough.
    pub(crate) fn is_settled(&self) -> bool {
        let knows = |nats: &Arc<Nats>| nats.with(|core, at, _| core.is_acquainted(at));
        self.until <= Instant::now() || self.nats.as_ref().is_none_or(knows)
    }

    /// Whether NATS is away now.
    pub(crate) fn is_alone(&self) -> bool {
        self.nats
            .as_ref()
            .is_some_and(|nats| !nats.link().is_connected())
    }
}

/// How the cluster's subjects and streams are called.
pub(crate) fn names(documents: &Documents) -> Names {
    let meta = &documents.cluster.metadata;
    Names::new(
        meta.namespace.as_deref().unwrap_or("default"),
        meta.name.as_deref().unwrap_or_default(),
    )
}

fn window(documents: &Documents) -> Duration {
    documents.cluster.spec.recovery.window.into()
}

/// What the Rooms need of the streams.
fn wanted(documents: &Documents) -> Wanted {
    let backbone = documents.cluster.spec.backbone.as_ref();
    let managed = backbone
        .and_then(|backbone| backbone.nats.as_ref())
        .and_then(|nats| nats.managed.as_ref());
    let histories = documents
        .rooms
        .iter()
        .filter_map(|room| room.spec.history.as_ref());
    let (mut messages_per_room, mut max_age) = (1, Duration::ZERO);
    for history in histories {
        let messages = history.max_messages.unwrap_or(rules::MAX_MESSAGES);
        messages_per_room = messages.max(messages_per_room);
        let age = history.max_age.map_or(rules::MAX_AGE, Into::into);
        max_age = age.max(max_age);
    }
    Wanted {
        replicas: managed.map_or(REPLICAS, |managed| managed.replicas as usize),
        messages_per_room,
        max_age,
    }
}

/// Where NATS is by the documents, or as `given`, and what lets us in.
///
/// # Errors
/// Where the documents do not name NATS, or name credentials that are not there.
pub(crate) fn nats_login(
    documents: &Documents,
    given: Option<&str>,
    mounted: Option<&Path>,
    credentials: Option<String>,
) -> io::Result<Login> {
    let backbone = documents.cluster.spec.backbone.as_ref();
    let spec = backbone.and_then(|backbone| backbone.nats.clone());
    let mut spec = spec.ok_or_else(|| io::Error::other("spec.backbone is not nats"))?;
    if let (Some(external), true) = (&mut spec.external, credentials.is_some()) {
        external.credentials_secret_ref = None;
    }
    let access = Access::read(documents, given, &spec, mounted)?;
    Ok(Login {
        urls: access.urls,
        credentials: credentials.or(access.credentials),
        name: String::new(),
    })
}

/// Where NATS is, and what lets us in.
struct Access {
    urls: String,
    credentials: Option<String>,
}

impl Access {
    fn read(
        documents: &Documents,
        given: Option<&str>,
        spec: &NatsBackbone,
        mounted: Option<&Path>,
    ) -> io::Result<Self> {
        let external = spec.external.as_ref();
        let urls = match (given, external, &spec.managed) {
            (Some(given), ..) => given.to_owned(),
            (None, Some(external), _) => external.url.clone(),
            (None, None, managed) => {
                managed_urls(documents, managed.as_ref().map_or(1, |m| m.replicas))
            }
        };
        let reference = external.and_then(|external| external.credentials_secret_ref.as_ref());
        let secrets = Secrets { documents, mounted };
        let credentials = reference.map(|reference| {
            let bytes = secrets.read(&reference.name, &reference.key);
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| {
                io::Error::other(format!(
                    "spec.backbone.nats.external.credentialsSecretRef: the Secret {} has no text under {}; add it, or mount the Secret",
                    reference.name, reference.key
                ))
            })
        });
        Ok(Self {
            urls,
            credentials: credentials.transpose()?,
        })
    }

    fn options(&self, name: &str) -> io::Result<Options> {
        let urls = self
            .urls
            .split(',')
            .map(|url| url.trim().parse::<ServerUrl>());
        let urls = urls.collect::<Result<_, _>>().map_err(io::Error::other)?;
        let mut options = Options::new(urls, name);
        if let Some(text) = &self.credentials {
            let credentials = Credentials::parse(text).map_err(io::Error::other)?;
            options.auth = Auth::Credentials(credentials);
        }
        Ok(options)
    }
}

/// Where the servers are that the operator runs.
fn managed_urls(documents: &Documents, replicas: u32) -> String {
    let meta = &documents.cluster.metadata;
    let name = meta.name.as_deref().unwrap_or_default();
    let namespace = meta.namespace.as_deref().unwrap_or("default");
    let url = |n| format!("nats://{name}-nats-{n}.{name}-nats.{namespace}.svc:{PORT}");
    (0..replicas).map(url).collect::<Vec<_>>().join(",")
}

/// How often a gateway says how it is.
const REPORT: Duration = Duration::from_millis(100);

/// Tells the fleet how this gateway is, for ever.
pub(crate) async fn report(nats: Arc<Nats>, shared: Arc<Shared>, drainer: Arc<Drainer>) {
    let mut interval = tokio::time::interval(REPORT);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let connections = shared.connections.load(Ordering::Relaxed);
        let to_move = drainer.to_move();
        let status = Status {
            state: if drainer.drains() {
                State::Draining
            } else {
                State::Serving
            },
            connections,
            draining: to_move.map(|remaining| Draining {
                remaining,
                ..Draining::default()
            }),
            policy: policy(&shared.in_force.get()),
        };
        nats.with(|core, at, out| core.set_status(at, status, out));
    }
}

fn policy(in_force: &sluice_api::PolicyStatus) -> PolicyStatus {
    PolicyStatus {
        generation: in_force.revision,
        digest: in_force.digest.clone(),
        refused: in_force.refused.clone(),
    }
}
