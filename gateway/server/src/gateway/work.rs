//! One worker's thread: everything that serves its connections.

use std::{io, net::TcpListener, rc::Rc, sync::Arc};

use sluice_engineio::{Config, Engine, Mailbox, Mailboxes};
use sluice_net::{Endpoint, accept, inbox, worker};
use sluice_policy::Policy;
use sluice_socketio::SocketIo;

use super::WorkerCounters;
use crate::{
    front::{Front, SOCKETIO_PATH},
    hub::Hub,
    mail::Mail,
    native::NativeFront,
    shared::Shared,
    socketio::SocketIoFront,
};

/// What a worker starts with.
pub(super) struct Work {
    pub(super) index: usize,
    pub(super) listener: TcpListener,
    pub(super) endpoint: Endpoint,
    pub(super) shared: Arc<Shared>,
    pub(super) counters: WorkerCounters,
    pub(super) inbox: inbox::Receiver<Mail>,
    pub(super) mailbox: Mailbox,
    pub(super) mailboxes: Mailboxes,
}

/// Starts a worker, which runs as long as the process.
pub(super) fn start(work: Work) -> io::Result<()> {
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
        ..
    } = work;
    let number = shared.number;
    let hub = Hub::new(Rc::clone(&worker), shared, counters.hub);
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
    let counters = Arc::clone(&hub.counters);
    accept(
        worker,
        listener,
        endpoint,
        Rc::new(Front {
            socketio,
            native,
            counters,
        }),
    )
    .await
}

/// Engine.IO's part of a policy.
fn config(policy: &Policy, deflate: bool) -> Config {
    Config {
        path: SOCKETIO_PATH.into(),
        ping_interval: policy.heartbeat.interval,
        ping_timeout: policy.heartbeat.timeout,
        max_payload: policy.limits.payload_bytes,
        max_outbound: policy.limits.outbound_bytes,
        deflate,
    }
}
