//! The port for the platform: health and metrics.

use std::{net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Extension, Router,
    extract::ConnectInfo,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use prometheus::{Encoder as _, Registry, TextEncoder};
use sluice_util::Newcomers;
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::{sleep, timeout},
};

/// How many connections an address may have; then its oldest makes room. A platform has few, and
/// ends those of its probes.
const OF_ADDRESS: usize = 64;

/// How many connections there may be; then the oldest makes room.
const CONNECTIONS: usize = 512;

/// How long a request's head may take, and a connection may idle.
const HEAD_TIME: Duration = Duration::from_secs(80);

/// How long a connection may live, whatever is sent and read over it.
const LIFETIME: Duration = Duration::from_mins(10);

/// How long the last answer of a connection may take.
const LAST_ANSWER: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the process ends. Whoever asks is told of as a `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router) {
    let mut open = Newcomers::<AbortHandle>::new(OF_ADDRESS, CONNECTIONS);
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection for health or metrics could not be accepted; raise the limit of open files if this goes on");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        open.retain(|connection| !connection.is_finished());
        let connection = tokio::spawn(connection(stream, address, router.clone()));
        if let Some(oldest) = open.add(address.ip(), connection.abort_handle()) {
            tracing::debug!("a connection for health or metrics made room for another");
            oldest.abort();
        }
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, router: Router) {
    let router = router.layer(Extension(ConnectInfo(address)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    if timeout(LIFETIME, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_ANSWER, connection).await;
    }
}

/// All metrics, as Prometheus reads them.
///
/// # Errors
/// Where they cannot be written as text.
pub fn text(registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(text)
}

/// The answer to Prometheus.
pub fn scraped(registry: &Registry) -> Response {
    match text(registry) {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn sockets_that_ask_for_nothing_keep_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route(
            "/who",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        );
        tokio::spawn(serve(listener, router));
        let mut idle = Vec::new();
        for _ in 0..2 * OF_ADDRESS {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let mut asking = TcpStream::connect(address).await.unwrap();
        let own = asking.local_addr().unwrap();
        let request = b"GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        asking.write_all(request).await.unwrap();
        let mut answer = String::new();
        asking.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(&own.to_string()), "{answer}");
        // The oldest have made room.
        for socket in &mut idle[..OF_ADDRESS] {
            assert_eq!(socket.read(&mut [0; 16]).await.unwrap_or(0), 0);
        }
    }
}
