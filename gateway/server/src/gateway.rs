//! A running gateway: its threads, its listeners, and how it ends.

mod backbone;
mod bucket;
mod finalised;
mod gateways;
mod heartbeat;
mod nats_login;
mod peers;
mod ports;
mod pushed;
mod reload;
mod revocations;
mod setup;
mod signals;
mod subjects;
mod workers;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use prometheus::Registry;
use sluice_api::Api;
use sluice_backbone::Backbone;
use sluice_bucket::Connection;
use sluice_crds::Documents;
use sluice_engineio::{Inbound, Mailboxes};
use sluice_nats::Nats;
use sluice_net::tls::Certificate;
use sluice_policy::{Policy, Revocations};
use sluice_spans::Spans;
use tokio::{runtime::Runtime, sync::oneshot, task::JoinHandle, time::MissedTickBehavior};

use self::{
    backbone::ConfiguredBackbone, bucket::Bucket, gateways::Gateways, ports::bind,
    revocations::Revoker, signals::Signals, subjects::Subjects, workers::Workers,
};
pub(crate) use self::{
    nats_login::{Given, names, nats_login},
    ports::Ports,
    setup::{Setup, Start},
};
use crate::{
    applications::Applications,
    backend::CurrentBackend,
    documents::Texts,
    drain::{DrainApi, Drainer, Movers},
    in_force::{self, InForce, Origin},
    inboxes::Inboxes,
    metrics::{Metrics, Sources, WorkerCounters},
    ops,
    readiness::Readiness,
    rules::Current,
    shared::Shared,
};

/// How often the backbone does what is due.
const TICK: Duration = Duration::from_millis(100);

/// How long the last news for the backend may take at the end.
const LAST_NEWS: Duration = Duration::from_secs(2);

/// Runs a gateway until it has drained, and has sent its last spans.
///
/// # Errors
/// Where an address cannot be listened on, or a thread not be started.
pub(crate) fn run(start: Start, runtime: Runtime, spans: Option<Spans>) -> io::Result<()> {
    let gateway = Gateway::start(start, &runtime)?;
    if let Some(spans) = &spans {
        let registered = spans.register(&gateway.registry);
        registered.map_err(io::Error::other)?;
    }
    runtime.block_on(gateway.serve())?;
    if let Some(spans) = spans {
        spans.end();
    }
    // Workers hold nothing that must be saved; the process ends with them.
    runtime.shutdown_background();
    Ok(())
}

/// The runtime of all that is not a connection.
pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("control")
        .enable_all()
        .build()
}

/// A gateway whose workers run.
pub(crate) struct Gateway {
    setup: Setup,
    texts: Texts,
    documents: Documents,
    origin: Origin,
    bucket: Option<Bucket>,
    shared: Arc<Shared>,
    in_force: Arc<InForce>,
    inboxes: Arc<Inboxes>,
    inbound: Option<Inbound>,
    registry: Registry,
    pub(crate) drainer: Arc<Drainer>,
    backbone: ConfiguredBackbone,
    certificate: Option<Certificate>,
    counters: Vec<WorkerCounters>,
}

impl Gateway {
    pub(crate) fn start(mut start: Start, runtime: &Runtime) -> io::Result<Self> {
        let mut bucket = runtime.block_on(Bucket::read_first(&mut start))?;
        let revocations = bucket.as_mut().map(Bucket::take_revocations);
        let connection = bucket.as_ref().map(|bucket| bucket.connection.clone());
        let Start {
            setup,
            texts,
            documents,
            policy,
            origin,
            in_force,
        } = start;
        let spec = &documents.cluster.spec;
        let (inboxes, readers) = Inboxes::new(workers::count(spec.gateway.workers));
        let registry = Registry::new();
        let number = rand::random();
        let us = (number, Arc::clone(&inboxes) as _);
        let login = connection.as_ref();
        let mut backbone = ConfiguredBackbone::new(&documents, &setup, us, login, runtime)?;
        if let (Some(nats), Some(bucket)) = (&backbone.nats, &bucket) {
            finalised::take(nats, bucket.finalised());
        }
        let _inside = runtime.enter();
        policy.start();
        let (mailboxes, engine_boxes) = sluice_engineio::mailboxes(readers.len());
        let us = (number, policy.max_connections as usize);
        let (mailboxes, inbound) = peers::join(mailboxes, backbone.nats.as_ref(), us, runtime);
        let backend = CurrentBackend::new(&policy, connection, runtime.handle(), &registry);
        let applications = backbone.applications(&policy, Arc::clone(&inboxes) as _)?;
        let revocations = revocations.unwrap_or_default();
        let parts = (backend, applications, revocations);
        let compression = spec.gateway.compression;
        let shared = shared(&backbone, policy, parts, (number, compression));
        let drainer = drainer(
            &shared,
            (&inboxes, &inbound),
            backbone.nats.clone(),
            runtime,
        );
        let certificate = reload::certificate(&documents, setup.secrets.as_deref())?;
        let counters = readers.iter().map(|_| WorkerCounters::default()).collect();
        let mut gateway = Self {
            setup,
            texts,
            documents,
            origin,
            bucket,
            shared,
            in_force,
            inboxes,
            inbound,
            registry,
            drainer,
            backbone,
            certificate,
            counters,
        };
        let readers = readers.into_iter().zip(engine_boxes);
        gateway.setup.clients = gateway.workers(mailboxes).start(readers)?;
        Ok(gateway)
    }

    fn workers(&self, mailboxes: Mailboxes) -> Workers<'_> {
        Workers {
            clients: self.setup.clients,
            certificate: self.certificate.as_ref(),
            shared: &self.shared,
            counters: &self.counters,
            mailboxes,
        }
    }

    /// Its number among the gateways of its fleet.
    pub(crate) fn number(&self) -> u32 {
        self.shared.number
    }

    /// Where clients connect.
    pub(crate) fn clients(&self) -> SocketAddr {
        self.setup.clients
    }

    async fn serve(self) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let backend = Arc::clone(&self.shared.backend);
        let drainer = Arc::clone(&self.drainer);
        let nats = self.backbone.nats.clone();
        let applications = Arc::clone(&self.shared.applications);
        let ports = self.open().await?;
        if signals.drained(&drainer).await {
            // Whoever asked for the drain still gets its answer, and the backend its news.
            ports.close().await;
            backend.finish(LAST_NEWS).await;
            applications.end().await;
            if let Some(nats) = nats {
                nats.end().await;
            }
            tracing::info!("the gateway has drained and ends");
        }
        Ok(())
    }

    /// Opens the server API and the port for the platform, and begins all that goes on by itself.
    pub(crate) async fn open(self) -> io::Result<Ports> {
        let metrics = Metrics::new(self.sources(), self.registry.clone());
        let metrics = metrics.map_err(io::Error::other)?;
        let (stop_api, api_stopped) = oneshot::channel();
        let (api, api_address, api_task) = self.start_api(&metrics, api_stopped).await?;
        let ops_address = self.start_ops(metrics).await?;
        tokio::spawn(tick(Arc::clone(&self.shared.backbone)));
        if let Some(nats) = self.backbone.nats.clone() {
            tokio::spawn(heartbeat::keep(
                nats,
                Arc::clone(&self.shared.admission),
                Arc::clone(&self.in_force),
                Arc::clone(&self.drainer),
            ));
        }
        let subjects = self.connection();
        let subjects = subjects.map(|nats| Subjects::open(nats, api.clone(), &self.setup.name));
        let revoker = Revoker {
            revocations: Arc::clone(&self.shared.revocations),
            inboxes: Arc::clone(&self.inboxes),
        };
        let nats = self.backbone.nats.clone();
        let documents = self.bucket.map(|bucket| bucket.hear(revoker, nats));
        let watched = reload::Watched {
            setup: self.setup,
            texts: self.texts,
            own_secrets: self.documents.secrets.clone(),
            documents: self.documents,
            origin: self.origin,
            policy: Arc::clone(&self.shared.policy),
            in_force: self.in_force,
            backend: Arc::clone(&self.shared.backend),
            applications: Arc::clone(&self.shared.applications),
            inboxes: self.inboxes,
            certificate: self.certificate,
            backbone: self.backbone,
            api,
        };
        tokio::spawn(reload::watch(watched, documents));
        Ok(Ports {
            api: api_address,
            ops: ops_address,
            stop_api,
            api_task,
            subjects,
        })
    }

    async fn start_api(
        &self,
        metrics: &Metrics,
        stopped: oneshot::Receiver<()>,
    ) -> io::Result<(Api, SocketAddr, JoinHandle<()>)> {
        let rules = Arc::new(Current {
            policy: Arc::clone(&self.shared.policy),
            revocations: Arc::clone(&self.shared.revocations),
            bucket: self.connection(),
        });
        let api = Api::new(
            Arc::clone(&self.shared.backbone),
            rules,
            Arc::new(DrainApi(Arc::clone(&self.drainer))),
            Arc::new(self.gateways()),
            sluice_api::Limits::default(),
            metrics.registry(),
        )
        .map_err(io::Error::other)?;
        reload::set_keys(&api, &self.documents, &self.setup);
        in_force::warn_of(&self.documents);
        let listener = bind("the server API", self.setup.api).await?;
        let address = listener.local_addr()?;
        let stopped = async { drop(stopped.await) };
        let task = tokio::spawn(sluice_api::serve(listener, api.clone(), stopped));
        Ok((api, address, task))
    }

    /// The connection to the bucket, if there is one.
    fn connection(&self) -> Option<Connection> {
        self.bucket.as_ref().map(|bucket| bucket.connection.clone())
    }

    fn sources(&self) -> Sources {
        Sources {
            admission: Arc::clone(&self.shared.admission),
            backbone: Arc::clone(&self.shared.backbone),
            policy: Arc::clone(&self.shared.policy),
            in_force: Arc::clone(&self.in_force),
            drainer: Arc::clone(&self.drainer),
            workers: self.counters.clone(),
            nats: self.backbone.nats.clone(),
            bucket: self.connection(),
            inbound: self.inbound.clone(),
            applications: Arc::clone(&self.shared.applications),
        }
    }

    fn gateways(&self) -> Gateways {
        Gateways {
            name: self.setup.name.as_str().into(),
            number: self.shared.number,
            policy: Arc::clone(&self.shared.policy),
            in_force: Arc::clone(&self.in_force),
            admission: Arc::clone(&self.shared.admission),
            drainer: Arc::clone(&self.drainer),
            nats: self.backbone.nats.clone(),
        }
    }

    async fn start_ops(&self, metrics: Metrics) -> io::Result<SocketAddr> {
        let listener = bind("health and metrics", self.setup.ops).await?;
        let address = listener.local_addr()?;
        let drainer = Arc::clone(&self.drainer);
        let trace = Arc::clone(&self.shared.trace);
        let readiness = Readiness::new(self.backbone.nats.clone());
        tokio::spawn(ops::serve(listener, metrics, drainer, trace, readiness));
        Ok(address)
    }
}

fn shared(
    backbone: &ConfiguredBackbone,
    policy: Policy,
    (backend, applications, revocations): (CurrentBackend, Arc<Applications>, Revocations),
    (number, compression): (u32, bool),
) -> Arc<Shared> {
    Arc::new(Shared {
        backbone: Arc::clone(&backbone.backbone),
        backend: Arc::new(backend),
        policy: Arc::new(ArcSwap::from_pointee(policy)),
        applications,
        revocations: Arc::new(RwLock::new(revocations)),
        admission: Arc::default(),
        trace: Arc::default(),
        compression,
        number,
    })
}

fn drainer(
    shared: &Shared,
    (inboxes, inbound): (&Arc<Inboxes>, &Option<Inbound>),
    nats: Option<Arc<Nats>>,
    runtime: &Runtime,
) -> Arc<Drainer> {
    let movers = Movers::new(Arc::clone(inboxes), inbound.clone());
    let (admission, policy) = (Arc::clone(&shared.admission), Arc::clone(&shared.policy));
    Drainer::new(admission, policy, movers, nats, runtime.handle().clone())
}

async fn tick(backbone: Arc<dyn Backbone>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        backbone.tick();
    }
}
