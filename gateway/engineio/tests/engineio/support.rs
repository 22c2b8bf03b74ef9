//! A server whose clients tell it what to do, and those clients.

mod between;
mod client;
mod http;

use std::{
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ::http::request::Parts;
use sluice_engineio::{
    Application, Config, Engine, Mailbox, Mailboxes, Refusal, Session, mailboxes,
};
use sluice_net::{
    Cause, Counters, Endpoint, Flow, Peer, SharedFrame, accept, listen, tls::Certificate, worker,
};
use tokio::sync::watch;

pub use self::{
    between::Between,
    client::{Client, WebSocket},
    http::{Response, begin, finish, finish_bytes, request},
};

/// What the application saw, in its order.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn has(&self, what: &str) -> bool {
        self.all().iter().any(|seen| seen == what)
    }

    pub async fn wait_for(&self, what: &str) {
        eventually(what, || self.has(what)).await;
    }
}

/// Waits until a condition holds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < patience, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Answers messages with themselves, but for some that are orders.
struct Obedient {
    seen: Seen,
    paused: Arc<AtomicBool>,
}

impl Application for Obedient {
    type State = ();

    fn origin_allowed(&self, head: &Parts, _: Peer) -> bool {
        head.headers
            .get("origin")
            .is_none_or(|origin| origin != "https://evil.example")
    }

    fn open(&self, head: &Parts, _: Peer) -> Result<(), Refusal> {
        let refused = head.headers.contains_key("x-refuse");
        if refused {
            Err(Refusal::forbidden("not you"))
        } else {
            Ok(())
        }
    }

    fn opened(&self, session: &Rc<Session<()>>) {
        session.send(&SharedFrame::text("4welcome"));
    }

    fn text(&self, session: &Rc<Session<()>>, text: &str) -> Flow {
        self.seen.note(format!("text {text}"));
        match text.split_once(' ').unwrap_or((text, "")) {
            ("close", _) => session.close(Cause::Drain),
            ("cut", _) => return Flow::Break(Cause::Abuse),
            ("burst", count) => {
                let count: usize = count.parse().unwrap();
                (0..count).for_each(|n| session.send(&SharedFrame::text(&format!("4{n}"))));
            }
            ("pour", count) => {
                let (mut next, count) = (0, count.parse::<usize>().unwrap());
                let weak = Rc::downgrade(session);
                session.refill_with(Box::new(move |room| {
                    let session = weak.upgrade().unwrap();
                    while next < count && session.queued_bytes() < room.min(1_000) {
                        session.send(&SharedFrame::text(&format!("4{next}")));
                        next += 1;
                    }
                    next < count
                }));
            }
            ("big", size) => {
                let big = "x".repeat(size.parse().unwrap());
                session.send(&SharedFrame::text(&format!("4{big}")));
            }
            ("busy", ms) => {
                let until = Instant::now() + Duration::from_millis(ms.parse().unwrap());
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
            }
            ("pause", _) => {
                while self.paused.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            }
            _ => session.send(&SharedFrame::text(&format!("4{text}"))),
        }
        Flow::Continue(())
    }

    fn binary(&self, session: &Rc<Session<()>>, bytes: &[u8]) -> Flow {
        session.send(&SharedFrame::binary(bytes));
        Flow::Continue(())
    }

    fn closed(&self, session: &Rc<Session<()>>, cause: Cause) {
        assert_eq!(session.ended(), Some(cause));
        self.seen.note(format!("closed {}", cause.name()));
    }
}

/// Begins a request that needs more time than it is given, and closes its connection. Where the
/// server notices that before it has read the request, there was none: then another one begins.
pub async fn give_up(server: &Server, client: Client, method: &str, sid: &str, length: usize) {
    let ended = || {
        server
            .seen
            .all()
            .iter()
            .any(|seen| seen.starts_with("closed"))
    };
    for attempt in 1.. {
        let stream = client.part(method, sid, length, b"").await;
        tokio::time::sleep(Duration::from_millis(attempt * 5)).await;
        drop(stream);
        for _ in 0..100 {
            if ended() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A gateway's workers, each on a port of its own so that a test says which one it speaks to.
pub struct Server {
    pub seen: Seen,
    pub counters: Vec<Arc<Counters>>,
    addresses: Vec<SocketAddr>,
    paused: Arc<AtomicBool>,
    stop: watch::Sender<()>,
    threads: Vec<JoinHandle<std::io::Result<std::io::Result<()>>>>,
}

impl Server {
    pub fn start(config: &Config) -> Self {
        Self::with_workers(1, config)
    }

    pub fn with_workers(workers: usize, config: &Config) -> Self {
        let (boxes, own) = mailboxes(workers);
        Self::run(7, config, None, &boxes, own)
    }

    /// A gateway of this number that reaches others, and can be reached by them.
    pub fn joined(number: u32, config: &Config, between: &Between) -> Self {
        Self::joined_behind(None, number, config, between)
    }

    /// As [`Self::joined`], with TLS for its clients where there is a certificate.
    pub fn joined_behind(
        certificate: Option<&Certificate>,
        number: u32,
        config: &Config,
        between: &Between,
    ) -> Self {
        let (boxes, own) = mailboxes(1);
        let (boxes, inbound) = boxes.join(between.way(number));
        between.reach(number, inbound);
        Self::run(number, config, certificate, &boxes, own)
    }

    fn run(
        number: u32,
        config: &Config,
        certificate: Option<&Certificate>,
        boxes: &Mailboxes,
        own: Vec<Mailbox>,
    ) -> Self {
        let (stop, _) = watch::channel(());
        let mut server = Self {
            seen: Seen::default(),
            counters: Vec::new(),
            addresses: Vec::new(),
            paused: Arc::default(),
            stop,
            threads: Vec::new(),
        };
        for (index, mailbox) in own.into_iter().enumerate() {
            let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let counters = Arc::<Counters>::default();
            server.addresses.push(address);
            server.counters.push(Arc::clone(&counters));
            let (config, boxes) = (config.clone(), boxes.clone());
            let app = Obedient {
                seen: server.seen.clone(),
                paused: Arc::clone(&server.paused),
            };
            let (certificate, mut stopped) = (certificate.cloned(), server.stop.subscribe());
            let main = move |worker: Rc<worker::Worker>| async move {
                let engine = Engine::start(Rc::clone(&worker), number, config, app, boxes, mailbox);
                let endpoint = Endpoint {
                    address,
                    certificate,
                    max_sockets: 1000,
                };
                tokio::select! {
                    ended = accept(worker, listener, endpoint, engine) => ended,
                    _ = stopped.changed() => Ok(()),
                }
            };
            server
                .threads
                .push(worker::start(index, counters, main).unwrap());
        }
        server
    }

    /// A worker whose client says `pause` does nothing more, until [`Self::resume`].
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Has workers that pause go on.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
    }

    pub fn client(&self) -> Client {
        self.client_of(0)
    }

    /// A client that speaks to one of the workers.
    pub fn client_of(&self, worker: usize) -> Client {
        Client {
            address: self.addresses[worker],
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.resume();
        let _ = self.stop.send(());
        for thread in self.threads.drain(..) {
            // A worker that panicked fails the test, unless it fails already.
            let ended = thread.join();
            assert!(
                std::thread::panicking() || ended.is_ok(),
                "a worker panicked"
            );
        }
    }
}

/// Heartbeats that do not come into a test's way.
pub fn calm() -> Config {
    Config {
        path: "/engine.io/".into(),
        ..Config::default()
    }
}

/// As [`calm`], with room for all that a client lets wait where a test is not about that bound.
pub fn roomy() -> Config {
    Config {
        max_outbound: 64 << 20,
        ..calm()
    }
}

/// Heartbeats that a test can wait for. The server's timer has ticked forty times before it takes a
/// client for dead, so that only silence ends one, and not that the machine had no time for it.
pub fn brisk() -> Config {
    Config {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_secs(2),
        ..calm()
    }
}

/// So many pings of a [`brisk`] server last longer than a client lives that answers none.
pub const ENOUGH_PINGS: usize = 15;
