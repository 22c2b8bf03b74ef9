//! A server whose clients tell it what to do.

mod client;

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use http::request::Parts;
use sluice_engineio::{Config, Engine, Refusal, mailboxes};
use sluice_net::{Cause, Counters, Endpoint, Flow, Peer, accept, listen, worker};
use sluice_socketio::{
    Accepted, Attempt, Carrier, Client as Sockets, Connect, Event, Handler, Refused, Reply,
    SocketIo, packet,
};
use tokio::sync::watch;

pub use self::client::{Client, Polling};

/// What the handler saw, in its order.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub async fn wait_for(&self, what: &str) {
        let patience = Instant::now() + Duration::from_secs(20);
        while !self.all().iter().any(|seen| seen == what) {
            assert!(
                Instant::now() < patience,
                "{what} never came: {:?}",
                self.all()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A namespace of one connection.
#[derive(Clone)]
pub struct Socket {
    carrier: Rc<Carrier<Obedient>>,
    namespace: Rc<str>,
    number: usize,
}

impl Socket {
    fn emit(&self, name: &str, args: &[&str]) {
        packet::event(&self.namespace, None, name, args, &[]).send(&self.carrier);
    }

    /// Asks the client a question and tells it what its answer was.
    fn ask(&self) {
        let answer = Sockets::request(&self.carrier, &self.namespace, "question", &["7"]);
        let socket = self.clone();
        tokio::task::spawn_local(async move {
            match answer.await {
                Ok(answer) => socket.emit("answered", &[&answer]),
                Err(_) => socket.emit("unanswered", &[]),
            }
        });
    }
}

/// Lets clients in, or not yet, and does what their events say.
pub struct Obedient {
    seen: Seen,
    /// Sockets in the making, of clients that asked for `/later`, or for `/twice`, which is
    /// answered twice.
    pending: RefCell<Vec<(Attempt, Socket)>>,
}

impl Obedient {
    fn settle(&self, socket: &Socket, verdict: &str) {
        let (attempt, pending) = self.pending.borrow_mut().remove(0);
        let carrier = Rc::clone(&pending.carrier);
        let awaited = Sockets::awaits(&carrier, &attempt);
        let in_time = if verdict == "accept" {
            let accepted = accepted(pending);
            let in_time = Sockets::accept(&carrier, &attempt, &accepted);
            assert_eq!(in_time, awaited);
            in_time
        } else {
            Sockets::refuse(&carrier, &attempt, &refused());
            true
        };
        socket.emit("settled", &[&in_time.to_string()]);
    }
}

fn accepted(socket: Socket) -> Accepted<Socket> {
    Accepted {
        sid: format!("s{}", socket.number),
        pid: Some("p".into()),
        socket,
    }
}

fn refused() -> Refused {
    Refused {
        message: "not \"you\"".into(),
        data: Some(r#"{"code":"no"}"#.into()),
    }
}

impl Handler for Obedient {
    type Link = ();
    type Socket = Socket;

    fn open(&self, _: &Parts, _: Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn connect(
        &self,
        carrier: &Rc<Carrier<Self>>,
        attempt: &Attempt,
        auth: &str,
    ) -> Connect<Socket> {
        let namespace = attempt.namespace();
        self.seen.note(format!("connect {namespace} {auth}"));
        let number = self.seen.all().len();
        let socket = Socket {
            carrier: Rc::clone(carrier),
            namespace: namespace.into(),
            number,
        };
        match namespace {
            "/refused" => Connect::Refuse(refused()),
            "/later" | "/twice" => {
                let answers = if namespace == "/twice" { 2 } else { 1 };
                let answer = (attempt.clone(), socket);
                let mut pending = self.pending.borrow_mut();
                pending.extend(std::iter::repeat_n(answer, answers));
                Connect::Later
            }
            _ => Connect::Accept(accepted(socket)),
        }
    }

    fn connected(&self, socket: &Socket) {
        socket.emit("welcome", &[]);
    }

    fn event(&self, socket: &Socket, event: Event<'_>, reply: Reply<'_, Self>) -> Flow {
        let args: Vec<&str> = event.args.iter().map(|arg| arg.get()).collect();
        self.seen
            .note(format!("event {} {}", socket.namespace, event.name));
        match &*event.name {
            "echo" => reply.send_all(&args, &event.attachments),
            "later" => {
                let ack = reply.detach();
                tokio::task::spawn_local(async move { ack.send("1") });
            }
            "emit" => {
                packet::event(
                    &socket.namespace,
                    None,
                    "emitted",
                    &args,
                    &event.attachments,
                )
                .send(&socket.carrier);
            }
            "ask" => (0..args[0].parse().unwrap()).for_each(|_| socket.ask()),
            "settle" => self.settle(socket, args[0].trim_matches('"')),
            "kick" => {
                let carrier = &socket.carrier;
                let kicked = Sockets::disconnect(carrier, &socket.namespace, Cause::Disconnected);
                assert_eq!(kicked.unwrap().number, socket.number);
            }
            "abuse" => return Flow::Break(Cause::Abuse),
            other => socket.emit("unknown", &[&format!("{other:?}")]),
        }
        Flow::Continue(())
    }

    fn oversized(&self, socket: &Socket, bytes: usize, reply: Reply<'_, Self>) -> Flow {
        self.seen
            .note(format!("oversized {} {bytes}", socket.namespace));
        reply.send(r#""too large""#);
        Flow::Continue(())
    }

    fn disconnected(&self, socket: Socket, cause: Cause) {
        self.seen
            .note(format!("disconnected {} {cause}", socket.namespace));
    }

    fn closed(&self, _: &Rc<Carrier<Self>>, cause: Cause) {
        self.seen.note(format!("closed {cause}"));
    }
}

/// A gateway with one worker.
pub struct Server {
    pub seen: Seen,
    pub counters: Arc<Counters>,
    address: SocketAddr,
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<std::io::Result<std::io::Result<()>>>>,
}

impl Server {
    pub fn start(config: Config) -> Self {
        let (stop, mut stopped) = watch::channel(());
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
        let counters = Arc::<Counters>::default();
        let handler_seen = seen.clone();
        let main = move |worker: Rc<worker::Worker>| async move {
            let handler = Obedient {
                seen: handler_seen,
                pending: RefCell::default(),
            };
            let (boxes, mut own) = mailboxes(1);
            let app = SocketIo::new(handler, &config);
            let mailbox = own.remove(0);
            let engine = Engine::start(Rc::clone(&worker), 1, config, app, boxes, mailbox);
            let endpoint = Endpoint {
                address,
                certificate: None,
                max_sockets: 100,
            };
            tokio::select! {
                ended = accept(worker, listener, endpoint, engine) => ended,
                _ = stopped.changed() => Ok(()),
            }
        };
        let thread = worker::start(0, Arc::clone(&counters), main).unwrap();
        Self {
            seen,
            counters,
            address,
            stop,
            thread: Some(thread),
        }
    }

    /// A client on a WebSocket that is in no namespace yet.
    pub async fn client(&self) -> Client {
        Client::open(self.address).await
    }

    /// A client in the main namespace, as number `s1` where it is the first.
    pub async fn connected(&self) -> Client {
        let mut client = self.client().await;
        client.send("0").await;
        assert!(client.next().await.starts_with("40{"));
        assert_eq!(client.next().await, r#"42["welcome"]"#);
        client
    }

    pub async fn polling(&self) -> Polling {
        Polling::open(self.address).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        let ended = self.thread.take().map(JoinHandle::join);
        // A worker that panicked fails the test, unless it fails already.
        assert!(
            std::thread::panicking() || ended.is_some_and(|e| e.is_ok()),
            "a worker panicked"
        );
    }
}
