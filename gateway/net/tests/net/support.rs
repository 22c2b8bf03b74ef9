//! A server whose connections answer what they are sent, and clients for it.

pub mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use sluice_net::{
    Cause, Connection, Counter, Counters, Endpoint, Flow, Handler, HandlerFuture, HttpResponse,
    Options, Patience, Peer, Receiver, SharedFrame, Stream, accept, listen, response, spawn_reader,
    tls::Certificate,
    upgrade::{Subprotocols, negotiate, refuse},
    worker,
};
use sluice_util::{Addresses, Place};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::oneshot,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::CloseFrame},
};

pub const URL: &str = "ws://localhost/ws";

/// A request that opens a WebSocket, for clients that write bytes.
pub const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// How a server is started.
pub struct Setup {
    pub options: Options,
    pub patience: Patience,
    pub certificate: Option<Certificate>,
    pub max_sockets: u64,
    pub sockets_per_address: u32,
    /// Whether clients come through a proxy that says so.
    pub proxied: bool,
    /// What may wait for all clients together.
    pub max_queued: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: Options {
                max_message: 2 << 20,
                max_outbound: 4 << 20,
                deflate: true,
            },
            patience: Patience::default(),
            certificate: None,
            max_sockets: 10_000,
            sockets_per_address: 10_000,
            proxied: false,
            max_queued: u64::MAX,
        }
    }
}

type Told = Arc<Mutex<Vec<Cause>>>;

/// A worker on a thread of its own, which ends with this.
pub struct Server {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    told: Told,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub fn start(setup: Setup) -> Self {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (counters, told) = (Arc::<Counters>::default(), Told::default());
        let (stop, stopped) = oneshot::channel();
        let seen = Arc::clone(&told);
        let main = move |worker: Rc<worker::Worker>| async move {
            worker.bound_queues(setup.max_queued);
            let endpoint = Endpoint {
                address,
                certificate: setup.certificate,
                max_sockets: setup.max_sockets,
            };
            let front = Rc::new(Front {
                worker: Rc::clone(&worker),
                options: setup.options,
                patience: setup.patience,
                addresses: Arc::default(),
                most: setup.sockets_per_address,
                proxied: setup.proxied,
                told: seen,
            });
            tokio::select! {
                ended = accept(worker, listener, endpoint, front) => ended.unwrap(),
                _ = stopped => {}
            }
        };
        Self {
            address,
            told,
            stop: Some(stop),
            thread: Some(worker::start(0, Arc::clone(&counters), main).unwrap()),
            counters,
        }
    }

    pub async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    pub async fn client(&self) -> WebSocketStream<TcpStream> {
        client_async(URL, self.tcp().await).await.unwrap().0
    }

    /// What the receivers were told, in order.
    pub fn told(&self) -> Vec<Cause> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until a counter has a value.
    pub async fn counts(&self, pick: impl Fn(&Counters) -> &Counter, value: u64) {
        until(|| pick(&self.counters).get() == value).await;
    }

    /// Waits until nothing is left of any connection.
    pub async fn empties(&self) {
        self.counts(|c| &c.sockets, 0).await;
        self.counts(|c| &c.connections, 0).await;
        self.counts(|c| &c.queued_bytes, 0).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

/// Waits for a condition, and gives up when it does not come true for a long time.
pub async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), met).await;
    waited.expect("the condition never came true");
}

struct Front {
    worker: Rc<worker::Worker>,
    options: Options,
    patience: Patience,
    addresses: Arc<Addresses>,
    most: u32,
    proxied: bool,
    told: Told,
}

impl Handler for Front {
    fn patience(&self) -> Patience {
        self.patience
    }

    fn is_proxy(&self, _: IpAddr) -> bool {
        self.proxied
    }

    fn arrive(&self, address: IpAddr) -> Option<Place> {
        Place::of(&self.addresses, address, self.most)
    }

    fn handle(
        self: Rc<Self>,
        request: Request<hyper::body::Incoming>,
        peer: Peer,
    ) -> HandlerFuture {
        Box::pin(async move { self.answer(&request.into_parts().0, peer) })
    }
}

impl Front {
    fn answer(self: Rc<Self>, head: &http::request::Parts, peer: Peer) -> HttpResponse {
        if head.uri.path() == "/who" {
            let who = Bytes::from(peer.address.to_string());
            return HttpResponse::Plain(response(http::StatusCode::OK, "text/plain", who));
        }
        if head.uri.path() == "/hello" {
            let hello = Bytes::from_static(b"hello");
            return HttpResponse::Plain(response(http::StatusCode::OK, "text/plain", hello));
        }
        let agreed = match negotiate(head, self.options.deflate, Subprotocols::Any) {
            Ok(agreed) => agreed,
            Err(reason) => return HttpResponse::Plain(refuse(reason)),
        };
        let moved = head.uri.path() == "/moved";
        let options = Options {
            deflate: agreed.deflate,
            ..self.options
        };
        let take = move |stream: Stream, leftover: Bytes| {
            let stream = if moved {
                stream.detach().unwrap().attach().unwrap()
            } else {
                stream
            };
            let connection = Connection::new(Rc::clone(&self.worker), stream, &options);
            let receiver = Obedient(Arc::clone(&self.told));
            spawn_reader(connection, receiver, &options, &leftover);
        };
        HttpResponse::Upgrade(agreed.response, Box::new(take))
    }
}

/// Echoes, sends `burst COUNT SIZE` at once and `pour COUNT SIZE` as there is room, or closes at
/// `close`.
struct Obedient(Told);

impl Receiver for Obedient {
    fn text(&mut self, connection: &Rc<Connection>, text: &str) -> Flow {
        let words: Vec<_> = text.split(' ').collect();
        match words[..] {
            ["burst", count, size] => {
                let message = SharedFrame::binary(&vec![7; size.parse().unwrap()]);
                for _ in 0..count.parse().unwrap() {
                    connection.send_or_close(&message);
                }
            }
            ["pour", count, size] => {
                let message = SharedFrame::binary(&vec![8; size.parse().unwrap()]);
                let (mut left, weak) = (count.parse::<usize>().unwrap(), Rc::downgrade(connection));
                connection.refill_with(Box::new(move |room| {
                    let connection = weak.upgrade().unwrap();
                    while left > 0 && connection.queued_bytes() < room {
                        connection.send(&message).unwrap();
                        left -= 1;
                    }
                    left > 0
                }));
            }
            ["close"] => return Flow::Break(Cause::Drain),
            _ => connection.send_or_close(&SharedFrame::text(text)),
        }
        Flow::Continue(())
    }

    fn binary(&mut self, connection: &Rc<Connection>, bytes: &[u8]) -> Flow {
        connection.send_or_close(&SharedFrame::binary(bytes));
        Flow::Continue(())
    }

    fn closed(&mut self, cause: Cause) {
        self.0.lock().unwrap().push(cause);
    }
}

/// Sends `message` and returns what comes back.
pub async fn ask<S>(client: &mut WebSocketStream<S>, message: Message) -> Message
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    client.send(message).await.unwrap();
    client.next().await.unwrap().unwrap()
}

/// Reads to the end of the connection; returns how it was closed.
pub async fn closing<S>(client: &mut WebSocketStream<S>) -> Option<CloseFrame>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut closed = None;
    while let Some(Ok(message)) = client.next().await {
        if let Message::Close(frame) = message {
            closed = frame;
        }
    }
    closed
}

/// A frame as a client sends it, with a mask that changes nothing.
pub fn masked(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
