//! The workers' threads: everything that serves their connections.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
};

use sluice_engineio::{Config, Engine, Mailbox, Mailboxes};
use sluice_net::{Endpoint, accept, inbox, listen, tls::Certificate, worker};
use sluice_policy::Policy;
use sluice_socketio::SocketIo;

use super::ports::cannot_listen;
use crate::{
    front::Front, hub::Hub, inboxes::InboxItem, metrics::WorkerCounters, native::NativeFront,
    queue_limit::queue_limit, shared::Shared, socketio::SocketIoFront,
};

/// The most workers of a gateway.
const MAX_WORKERS: usize = 128;

/// Sockets beyond the connections that a gateway may have: handshakes, polls, refusals.
const SPARE_SOCKETS: u64 = 4_096;

/// As many workers as asked for, else one a core.
pub(super) fn count(asked: Option<u32>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    asked
        .map_or(cores, |asked| asked as usize)
        .clamp(1, MAX_WORKERS)
}

/// What the workers of a gateway start with.
pub(super) struct Workers<'a> {
    /// Where clients connect.
    pub(super) clients: SocketAddr,
    pub(super) certificate: Option<&'a Certificate>,
    pub(super) shared: &'a Arc<Shared>,
    /// What each worker counts.
    pub(super) counters: &'a [WorkerCounters],
    pub(super) mailboxes: Mailboxes,
}

impl Workers<'_> {
    /// Starts a worker for each inbox, and returns where clients connect.
    pub(super) fn start(
        self,
        receivers: impl Iterator<Item = (inbox::Receiver<InboxItem>, Mailbox)>,
    ) -> io::Result<SocketAddr> {
        let mut address = self.clients;
        let each = SPARE_SOCKETS + u64::from(self.shared.policy.load().max_connections);
        for (index, (inbox, mailbox)) in receivers.enumerate() {
            let listener = listen(address).map_err(|e| cannot_listen("clients", address, &e))?;
            // With port 0 the first worker's socket decides for all.
            address = listener.local_addr()?;
            start(Work {
                index,
                listener,
                endpoint: Endpoint {
                    address,
                    certificate: self.certificate.cloned(),
                    max_sockets: each,
                },
                shared: Arc::clone(self.shared),
                counters: self.counters[index].clone(),
                inbox,
                mailbox,
                mailboxes: self.mailboxes.clone(),
                workers: self.counters.len() as u64,
            })?;
        }
        let path = &self.shared.policy.load().socketio_path;
        tracing::info!(%address, workers = self.counters.len(), tls = self.certificate.is_some(),
            "clients can connect: Socket.IO at {path}, plain WebSocket at /ws");
        Ok(address)
    }
}

/// What one worker starts with.
struct Work {
    index: usize,
    listener: TcpListener,
    endpoint: Endpoint,
    shared: Arc<Shared>,
    counters: WorkerCounters,
    inbox: inbox::Receiver<InboxItem>,
    mailbox: Mailbox,
    mailboxes: Mailboxes,
    /// How many there are.
    workers: u64,
}

/// Starts a worker, which runs as long as the process.
fn start(work: Work) -> io::Result<()> {
    let counters = Arc::clone(&work.counters.net);
    worker::start(work.index, counters, |worker| async move {
        if let Err(error) = serve(worker, work).await {
            tracing::error!(%error, "a worker cannot accept connections; the gateway ends");
            std::process::exit(1);
        }
    })?;
    Ok(())
}

async fn serve(worker: Rc<sluice_net::Worker>, work: Work) -> io::Result<()> {
    let Work {
        listener,
        endpoint,
        shared,
        counters,
        inbox,
        mailbox,
        mailboxes,
        workers,
        ..
    } = work;
    if let Some(limit) = queue_limit() {
        worker.bound_queues(limit / workers.max(1));
    }
    let number = shared.number;
    let hub = Hub::new(Rc::clone(&worker), shared, counters.hub, &inbox);
    let config = config(&hub.policy(), hub.shared.compression);
    let app = SocketIo::new(
        SocketIoFront {
            hub: Rc::clone(&hub),
        },
        &config,
    );
    let socketio = Engine::start(Rc::clone(&worker), number, config, app, mailboxes, mailbox);
    let engine = Rc::clone(&socketio);
    let compression = hub.shared.compression;
    hub.on_policy(move |policy| {
        let config = self::config(policy, compression);
        engine.app().set_max_payload(config.max_payload);
        engine.configure(config);
    });
    tokio::task::spawn_local(Rc::clone(&hub).run(inbox));
    tokio::task::spawn_local(Rc::clone(&hub).turn());
    let native = NativeFront::start(&hub);
    let (shared, counters) = (Arc::clone(&hub.shared), Arc::clone(&hub.counters));
    accept(
        worker,
        listener,
        endpoint,
        Rc::new(Front {
            socketio,
            native,
            shared,
            counters,
        }),
    )
    .await
}

/// Engine.IO's part of a policy.
fn config(policy: &Policy, deflate: bool) -> Config {
    Config {
        path: policy.socketio_path.to_string(),
        ping_interval: policy.heartbeat.interval,
        ping_timeout: policy.heartbeat.timeout,
        max_payload: policy.limits.payload_bytes,
        max_outbound: policy.limits.outbound_bytes,
        deflate,
    }
}
