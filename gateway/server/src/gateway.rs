//! A running gateway: its threads, its listeners, and how it ends.

mod control;
mod fleet;
mod gateways;
mod peers;
mod pushed;
mod reload;
mod requests;
mod work;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use prometheus::Registry;
use sluice_api::Api;
use sluice_crds::Documents;
use sluice_engineio::{Mailbox, Mailboxes};
use sluice_net::{Counters, Endpoint, inbox, listen, tls::Certificate};
use sluice_policy::Policy;
use sluice_spans::Spans;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
    time::MissedTickBehavior,
};

pub(crate) use self::fleet::{Standing, names, nats_login};
use self::{
    control::{Control, Subjects},
    fleet::Fleet,
    gateways::Gateways,
};
use crate::{
    backend::CurrentBackend,
    documents::Texts,
    drain::{DrainApi, Drainer},
    hub::HubCounters,
    in_force::{InForce, Origin},
    mail::{Mail, Post},
    metrics::Metrics,
    ops,
    rules::Current,
    shared::{Addresses, Shared},
    trace::Trace,
};

/// How often the backbone does what is due.
const TICK: Duration = Duration::from_millis(100);

/// How long the last answers and news may take at the end.
const FINISH: Duration = Duration::from_secs(2);

/// The most workers of a gateway.
const MAX_WORKERS: usize = 128;

/// Sockets beyond the connections that a gateway may have: handshakes, polls, refusals.
const SPARE_SOCKETS: u64 = 4_096;

/// Where a gateway listens and what it reads.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) config: PathBuf,
    pub(crate) secrets: Option<PathBuf>,
    /// The file with the operator's key.
    pub(crate) operator_key: Option<PathBuf>,
    pub(crate) clients: SocketAddr,
    pub(crate) api: SocketAddr,
    pub(crate) ops: SocketAddr,
    /// What people call this gateway: its pod's name.
    pub(crate) name: String,
    /// Where NATS is, whatever the documents say.
    pub(crate) nats: Option<String>,
}

/// What a gateway starts with.
pub(crate) struct Start {
    pub(crate) setup: Setup,
    pub(crate) texts: Texts,
    pub(crate) documents: Documents,
    pub(crate) policy: Policy,
    pub(crate) origin: Origin,
    pub(crate) in_force: Arc<InForce>,
}

impl Start {
    pub(crate) fn new(setup: Setup, texts: Texts, documents: Documents, policy: Policy) -> Self {
        Self {
            setup,
            texts,
            origin: Origin::files(&documents),
            documents,
            policy,
            in_force: Arc::default(),
        }
    }
}

/// What one worker counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerCounters {
    pub(crate) net: Arc<Counters>,
    pub(crate) hub: Arc<HubCounters>,
}

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
pub(crate) fn control() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("control")
        .enable_all()
        .build()
}

/// What a gateway has open beside the port for clients.
pub(crate) struct Doors {
    pub(crate) api: SocketAddr,
    pub(crate) ops: SocketAddr,
    /// Dropped to close the server API once its last answers are given.
    pub(crate) stop_api: oneshot::Sender<()>,
    pub(crate) api_task: JoinHandle<()>,
    subjects: Option<Subjects>,
}

impl Doors {
    /// Gives the last answers, for so long at most.
    async fn close(self) {
        drop(self.stop_api);
        let subjects = async {
            if let Some(subjects) = self.subjects {
                subjects.end().await;
            }
        };
        let both = async { tokio::join!(self.api_task, subjects) };
        let _ = tokio::time::timeout(FINISH, both).await;
    }
}

/// A gateway whose workers run.
pub(crate) struct Gateway {
    setup: Setup,
    texts: Texts,
    documents: Documents,
    origin: Origin,
    control: Option<Control>,
    shared: Arc<Shared>,
    registry: Registry,
    pub(crate) drainer: Arc<Drainer>,
    fleet: Fleet,
    certificate: Option<Certificate>,
    counters: Vec<WorkerCounters>,
}

impl Gateway {
    pub(crate) fn start(mut start: Start, runtime: &Runtime) -> io::Result<Self> {
        let mut control = runtime.block_on(Control::begin(&mut start))?;
        let (connection, revocations) = control.as_mut().map(Control::heard).unzip();
        let Start {
            setup,
            texts,
            documents,
            policy,
            origin,
            in_force,
        } = start;
        let spec = &documents.cluster.spec;
        let (post, inboxes) = Post::new(workers(spec.gateway.workers));
        let registry = Registry::new();
        let number = rand::random();
        let us = (number, Arc::clone(&post) as _);
        let fleet = Fleet::new(&documents, &setup, us, connection.as_ref(), runtime)?;
        let _inside = runtime.enter();
        policy.start();
        let (mailboxes, engine_boxes) = sluice_engineio::mailboxes(inboxes.len());
        let us = (number, policy.max_connections as usize);
        let (mailboxes, inbound) = peers::join(mailboxes, fleet.nats.as_ref(), us, runtime);
        let shared = Arc::new(Shared {
            backbone: Arc::clone(&fleet.backbone),
            post,
            backend: CurrentBackend::new(&policy, connection.clone(), runtime.handle(), &registry),
            in_force,
            control: connection,
            policy: ArcSwap::from_pointee(policy),
            revocations: Arc::new(RwLock::new(revocations.unwrap_or_default())),
            addresses: Addresses::default(),
            connections: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            trace: Trace::default(),
            compression: spec.gateway.compression,
            number,
            inbound,
        });
        let nats = fleet.nats.clone();
        let drainer = Drainer::new(Arc::clone(&shared), nats, runtime.handle().clone());
        let certificate = reload::certificate(&documents, setup.secrets.as_deref())?;
        let counters = inboxes.iter().map(|_| WorkerCounters::default()).collect();
        let mut gateway = Self {
            setup,
            texts,
            documents,
            origin,
            control,
            shared,
            registry,
            drainer,
            fleet,
            certificate,
            counters,
        };
        let inboxes = inboxes.into_iter().zip(engine_boxes);
        gateway.setup.clients = gateway.start_workers(inboxes, &mailboxes)?;
        Ok(gateway)
    }

    fn start_workers(
        &self,
        inboxes: impl Iterator<Item = (inbox::Receiver<Mail>, Mailbox)>,
        mailboxes: &Mailboxes,
    ) -> io::Result<SocketAddr> {
        let mut address = self.setup.clients;
        let each = SPARE_SOCKETS + u64::from(self.shared.policy.load().max_connections);
        for (index, (inbox, mailbox)) in inboxes.enumerate() {
            let listener = listen(address).map_err(|e| cannot_listen("clients", address, &e))?;
            // With port 0 the first worker's socket decides for all.
            address = listener.local_addr()?;
            work::start(work::Work {
                index,
                listener,
                endpoint: Endpoint {
                    address,
                    certificate: self.certificate.clone(),
                    max_sockets: each,
                },
                shared: Arc::clone(&self.shared),
                counters: self.counters[index].clone(),
                inbox,
                mailbox,
                mailboxes: mailboxes.clone(),
            })?;
        }
        tracing::info!(%address, workers = self.counters.len(), tls = self.certificate.is_some(),
            "clients can connect: Socket.IO at /socket.io/, plain WebSocket at /ws");
        Ok(address)
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
        let (shared, drainer) = (Arc::clone(&self.shared), Arc::clone(&self.drainer));
        let nats = self.fleet.nats.clone();
        let doors = self.open().await?;
        if drained(&mut signals, &drainer).await {
            // Whoever asked for the drain still gets its answer, and the backend its news.
            doors.close().await;
            shared.backend.finish(FINISH).await;
            if let Some(nats) = nats {
                nats.end().await;
            }
            tracing::info!("the gateway has drained and ends");
        }
        Ok(())
    }

    /// Opens the server API and the port for the platform, and begins all that goes on by itself.
    pub(crate) async fn open(self) -> io::Result<Doors> {
        let registry = self.registry.clone();
        let metrics = Metrics::new(
            &self.shared,
            &self.drainer,
            self.fleet.nats.clone(),
            &self.counters,
            registry,
        )
        .map_err(io::Error::other)?;
        let (stop_api, api_stopped) = oneshot::channel();
        let (api, api_address, api_task) = self.start_api(&metrics, api_stopped).await?;
        let ops_address = self.start_ops(metrics).await?;
        tokio::spawn(tick(Arc::clone(&self.shared)));
        if let Some(nats) = self.fleet.nats.clone() {
            tokio::spawn(fleet::report(
                nats,
                Arc::clone(&self.shared),
                Arc::clone(&self.drainer),
            ));
        }
        let go_on = |control: Control| {
            control.go_on(Arc::clone(&self.shared), api.clone(), &self.setup.name)
        };
        let (heard, subjects) = self.control.map(go_on).unzip();
        let watched = reload::Watched {
            setup: self.setup,
            texts: self.texts,
            own_secrets: self.documents.secrets.clone(),
            documents: self.documents,
            origin: self.origin,
            shared: self.shared,
            certificate: self.certificate,
            fleet: self.fleet,
            api,
        };
        tokio::spawn(reload::watch(watched, heard));
        Ok(Doors {
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
            shared: Arc::clone(&self.shared),
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
        let listener = bind("the server API", self.setup.api).await?;
        let address = listener.local_addr()?;
        let stopped = async { drop(stopped.await) };
        let task = tokio::spawn(sluice_api::serve(listener, api.clone(), stopped));
        Ok((api, address, task))
    }

    fn gateways(&self) -> Gateways {
        Gateways {
            name: self.setup.name.as_str().into(),
            shared: Arc::clone(&self.shared),
            drainer: Arc::clone(&self.drainer),
            nats: self.fleet.nats.clone(),
        }
    }

    async fn start_ops(&self, metrics: Metrics) -> io::Result<SocketAddr> {
        let listener = bind("health and metrics", self.setup.ops).await?;
        let address = listener.local_addr()?;
        let drainer = Arc::clone(&self.drainer);
        let shared = Arc::clone(&self.shared);
        let standing = Standing::new(self.fleet.nats.clone());
        tokio::spawn(ops::serve(listener, metrics, drainer, shared, standing));
        Ok(address)
    }
}

/// Waits for the end of a drain, which a signal or the server API begins. False where a second
/// signal wants the end at once.
async fn drained(signals: &mut Signals, drainer: &Arc<Drainer>) -> bool {
    tokio::select! {
        () = signals.next() => drainer.terminate(),
        () = drainer.released() => return true,
    }
    tracing::info!("the gateway drains before it ends; a second signal ends it at once");
    tokio::select! {
        () = signals.next() => {
            tracing::warn!("the gateway ends at once, as asked; connections are cut");
            false
        }
        () = drainer.released() => true,
    }
}

async fn bind(what: &str, address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| cannot_listen(what, address, &e))?;
    tracing::info!(address = %listener.local_addr()?, "{what} can be reached");
    Ok(listener)
}

fn cannot_listen(what: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    let message = format!(
        "cannot listen on {address} for {what}: {error}; end what uses the address, or choose another"
    );
    io::Error::new(error.kind(), message)
}

async fn tick(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        shared.backbone.tick();
    }
}

/// The signals that ask the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// As many workers as asked for, else one a core.
fn workers(asked: Option<u32>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    asked
        .map_or(cores, |asked| asked as usize)
        .clamp(1, MAX_WORKERS)
}
