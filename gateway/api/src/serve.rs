//! The listener: bounded in connections, in the time that a key and a head may take, and at the end.

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Api,
    newcomer::{Connections, Newcomer},
    router,
};

/// How long a connection that has shown a key may idle, and a head on it may take: longer than
/// balancers keep connections that they do not use.
const HEAD_TIME: Duration = Duration::from_secs(80);
/// The pause after a connection could not be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the API until `shutdown` is done; then takes no more requests, and returns when those
/// it has are answered, or their time is up.
pub async fn serve(listener: TcpListener, api: Api, shutdown: impl Future<Output = ()>) {
    let limits = *api.limits();
    let known = Connections::new(limits.connections);
    let router = router(api);
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, address) = accept(&listener) => {
                let connection = connection(stream, router.clone(), stopped.clone(), Arc::clone(&known));
                known.arrive(address.ip(), || connections.spawn(connection));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop((listener, stop));
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.request_time, all).await.is_err() {
        tracing::warn!("requests to the server API were still unanswered at the end");
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "the server API could not accept a connection; raise the limit of open files if this goes on");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

async fn connection(
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<()>,
    connections: Arc<Connections>,
) {
    let newcomer = Newcomer::here(connections);
    let router = router.layer(Extension(Arc::clone(&newcomer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        // The sender sends nothing; it goes when the API stops.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = newcomer.overdue() => {
            tracing::debug!("a connection to the server API showed no key in time");
            return;
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection to the server API broke");
    }
}
