//! Accepting connections: each worker on a socket of its own, so that none hands over to another.

use std::{io, net::SocketAddr, rc::Rc, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    http::{self, Handler, Peer},
    proxied,
    tls::{Certificate, TlsStream},
    worker::Worker,
};

/// How many handshakes the kernel keeps for a busy worker.
const BACKLOG: i32 = 4096;

/// How long a worker that has run out of file descriptors waits before it accepts again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where and how a worker accepts.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The address, shared by all workers.
    pub address: SocketAddr,
    /// TLS, where clients speak it to the gateway itself.
    pub certificate: Option<Certificate>,
    /// The most sockets that a worker holds; more are closed at once and counted.
    pub max_sockets: u64,
}

/// A listening socket that several workers may each have one of (`SO_REUSEPORT`): the kernel
/// spreads connections over them. With port 0 the first call chooses the port.
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts on `worker` until the task is dropped.
///
/// # Errors
/// Where the listener cannot be used by this worker's runtime. A failed accept is not an error:
/// it is retried.
pub async fn accept<H: Handler>(
    worker: Rc<Worker>,
    listener: std::net::TcpListener,
    endpoint: Endpoint,
    handler: Rc<H>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => admit(&worker, &endpoint, &handler, stream, address),
            Err(e) => {
                tracing::warn!(error = %e, "a connection could not be accepted; raise the limit of open files if this goes on");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit<H: Handler>(
    worker: &Rc<Worker>,
    endpoint: &Endpoint,
    handler: &Rc<H>,
    mut stream: TcpStream,
    address: SocketAddr,
) {
    let counters = worker.counters();
    if counters.sockets.get() >= endpoint.max_sockets {
        tracing::debug!(%address, "a socket was refused: the worker has as many as it takes");
        counters.refused.add(1);
        return;
    }
    counters.sockets.add(1);
    let arrival = Arrival {
        worker: Rc::clone(worker),
        handler: Rc::clone(handler),
        certificate: endpoint.certificate.clone(),
    };
    if !handler.is_proxy(address.ip()) {
        return arrival.begin(stream, address);
    }
    tokio::task::spawn_local(async move {
        let client = proxied::client(&mut stream);
        if let Ok(Ok(client)) = timeout(arrival.handler.patience().head, client).await {
            arrival.begin(stream, client.unwrap_or(address));
        } else {
            tracing::debug!(%address, "a proxy did not say whom it speaks for; have it send PROXY headers");
            http::end(&arrival.worker, true);
        }
    });
}

/// What a socket is served with.
struct Arrival<H> {
    worker: Rc<Worker>,
    handler: Rc<H>,
    certificate: Option<Certificate>,
}

impl<H: Handler> Arrival<H> {
    /// Serves a client, unless its address has as many sockets as it may.
    fn begin(self, stream: TcpStream, address: SocketAddr) {
        let Self {
            worker,
            handler,
            certificate,
        } = self;
        let Some(place) = handler.arrive(address.ip()) else {
            tracing::debug!(%address, "a socket was refused: its address has as many as it may");
            worker.counters().refused.add(1);
            return http::end(&worker, false);
        };
        worker.counters().accepted.add(1);
        // Messages are coalesced here, so the kernel must not wait for more.
        let _ = stream.set_nodelay(true);
        let peer = Peer {
            address,
            tls: certificate.is_some(),
        };
        let Some(certificate) = certificate else {
            tokio::task::spawn_local(http::serve(worker, handler, stream, peer, place));
            return;
        };
        let handshake = TlsStream::accept(stream, certificate.current());
        let handshake = timeout(handler.patience().tls, handshake);
        tokio::task::spawn_local(async move {
            if let Ok(Ok(stream)) = handshake.await {
                http::serve(worker, handler, stream, peer, place).await;
            } else {
                tracing::debug!(%address, "a TLS handshake failed");
                http::end(&worker, true);
            }
        });
    }
}
