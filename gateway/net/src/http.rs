//! HTTP/1.1 up to the point where a connection becomes a WebSocket, by hyper.

mod deadlines;

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Future, poll_fn},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::{Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use sluice_util::Place;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::deadlines::Patience;
use self::deadlines::{Progress, Timed};
use crate::{stream::Stream, worker::Worker};

/// The body of every response: small, and known when the response is.
pub type Body = Full<Bytes>;

/// What a handler's answer comes as.
pub type HandlerFuture = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// The longest request head.
const MAX_HEAD: usize = 16 * 1024;

/// How long a request takes that is answered at once, with reading and writing.
const REQUEST_TIME: Duration = Duration::from_micros(20);

/// How long a client may take to read the last answer.
const LINGER: Duration = Duration::from_secs(1);

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The TCP peer, or whom it speaks for by the PROXY protocol.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
}

/// What is done with the stream once the response that upgrades it has been written.
pub type Upgrade = Box<dyn FnOnce(Stream, Bytes)>;

/// What a handler answers a request with.
pub enum HttpResponse {
    /// An ordinary response.
    Plain(Response<Body>),
    /// `101 Switching Protocols`, and who takes the stream then.
    Upgrade(Response<Body>, Upgrade),
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(response) | Self::Upgrade(response, _) => response.fmt(f),
        }
    }
}

/// What answers requests on a worker.
pub trait Handler: 'static {
    /// How long its clients may take.
    fn patience(&self) -> Patience {
        Patience::default()
    }

    /// Whether sockets from `address` are a proxy's, and begin with a header of the PROXY protocol
    /// that says who the client is.
    fn is_proxy(&self, _address: IpAddr) -> bool {
        false
    }

    /// Whether a socket from `address` may stay: its place until it has become a WebSocket or has
    /// ended, or none where it is to be closed at once.
    fn arrive(&self, _address: IpAddr) -> Option<Place> {
        Some(Place::uncounted())
    }

    /// Answers one request.
    fn handle(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HandlerFuture;
}

/// Serves one stream: requests one after the other, until it is upgraded or ends. `place` is given
/// back then.
pub(crate) async fn serve<H, S>(
    worker: Rc<Worker>,
    handler: Rc<H>,
    stream: S,
    peer: Peer,
    place: Place,
) where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    Stream: From<S>,
{
    let patience = handler.patience();
    let progress = Progress::begin();
    let upgrade: Rc<RefCell<Option<Upgrade>>> = Rc::default();
    let service = service_fn(|request| {
        progress.asked();
        let answer = answer(Rc::clone(&worker), Rc::clone(&handler), request, peer);
        let (upgrade, progress) = (Rc::clone(&upgrade), Rc::clone(&progress));
        answer.map(move |answer| {
            progress.answered();
            match answer {
                HttpResponse::Plain(response) => Ok::<_, Infallible>(response),
                HttpResponse::Upgrade(response, then) => {
                    *upgrade.borrow_mut() = Some(then);
                    Ok(response)
                }
            }
        })
    });
    let stream = Timed {
        stream,
        progress: Rc::clone(&progress),
    };
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let serving = poll_fn(|cx| connection.poll_without_shutdown(cx));
    let served = progress.in_time(&patience, serving).await;
    let parts = connection.into_parts();
    let stream = parts.io.into_inner().stream.into();
    let then = upgrade.borrow_mut().take();
    match (served, then) {
        (Some(Ok(())), Some(then)) => {
            drop(place);
            then(stream, parts.read_buf);
        }
        (None, _) => {
            let failed = !progress.is_idle();
            if failed {
                tracing::debug!(address = %peer.address, "a request or its answer took too long");
            }
            end(&worker, failed);
        }
        (Some(served), _) => {
            if let Err(error) = &served {
                tracing::debug!(address = %peer.address, %error, "a request could not be read");
            }
            finish(&worker, stream).await;
            end(&worker, served.is_err());
        }
    }
}

/// Answers a request when it is its turn: a client may send any number at once, over any number of
/// sockets.
fn answer<H: Handler>(
    worker: Rc<Worker>,
    handler: Rc<H>,
    request: Request<Incoming>,
    peer: Peer,
) -> HandlerFuture {
    Box::pin(async move {
        worker.requests.turn().await;
        worker.requests.spend(REQUEST_TIME);
        handler.handle(request, peer).await
    })
}

/// Gives the client time to read the last answer: closing on bytes that were not read would reset
/// the connection, and the answer with it.
async fn finish(worker: &Worker, mut stream: Stream) {
    stream.shutdown();
    let drained = poll_fn(|cx| {
        let mut scratch = worker.read_scratch();
        loop {
            match ready!(stream.poll_read(cx, &mut scratch)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    });
    let _ = tokio::time::timeout(LINGER, drained).await;
}

pub(crate) fn end(worker: &Worker, failed: bool) {
    worker.counters().sockets.sub(1);
    if failed {
        worker.counters().handshakes_failed.add(1);
    }
}

/// A response with a JSON or text body.
pub fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// `Sec-WebSocket-Accept` for a request's `Sec-WebSocket-Key` (RFC 6455, section 4.2.2).
pub(crate) fn accept_key(key: &[u8]) -> String {
    use base64::Engine as _;
    let mut sha = Sha1::new();
    sha.update(key);
    sha.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(sha.finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_accept_key_is_that_of_the_rfcs_example() {
        let accept = super::accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
