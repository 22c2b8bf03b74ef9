//! A hub without anything around it.

use std::{
    cell::RefCell,
    net::{TcpListener, TcpStream},
    rc::Rc,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use prometheus::Registry;
use sluice_backbone::{Backbone, Memory};
use sluice_crds::{Documents, Source};
use sluice_net::{Connection, Options, Worker, worker};
use sluice_policy::{Policy, sign_development_token};
use sluice_rooms::Reading;
use sluice_util::unix_seconds;
use tokio::{runtime, sync::oneshot};

use super::slow::{Busy, Elsewhere, Slow};
use crate::{
    backend::CurrentBackend,
    documents::Secrets,
    failure::Failure,
    hub::{ClientPosition, Entered, Hub, HubCounters, Knock, Outlet, Session},
    inboxes::Inboxes,
    operation::Operation,
    outcome::Outcome,
    shared::Shared,
};

const KEY: &str = "a-key-for-tests-only-of-enough-length";

const DOCUMENTS: &str = r"
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: test}
spec:
  auth: {required: true, jwt: {keySecretRef: {name: keys, key: jwt}}}
  limits: {messagesPerSecond: 10000}
  recovery: {window: 2m}
  rooms: {default: Open}
  backbone: {memory: {}}
---
apiVersion: sluice.dev/v1alpha1
kind: Room
metadata: {name: kept}
spec:
  clusterRef: {name: test}
  match: kept
  history: {maxMessages: 10, maxAge: 1h}
---
apiVersion: sluice.dev/v1alpha1
kind: Room
metadata: {name: long}
spec:
  clusterRef: {name: test}
  match: long-*
  history: {maxMessages: 100000, maxAge: 1h}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {jwt: a-key-for-tests-only-of-enough-length}
";

pub(super) struct Bench {
    pub(super) hub: Rc<Hub>,
    pub(super) inboxes: Arc<Inboxes>,
    pub(super) memory: Arc<Memory>,
    pub(super) elsewhere: Arc<Elsewhere>,
    listener: TcpListener,
    /// The clients' ends of the connections.
    ends: RefCell<Vec<TcpStream>>,
}

/// When a backbone answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// At once where it can.
    AtOnce,
    /// Always a turn later.
    Later,
}

/// Runs a test on a worker whose clock is still until everyone waits for it, over a backbone that
/// answers later.
pub(super) fn on_bench(test: impl AsyncFnOnce(Bench)) {
    over(Answers::Later, test);
}

/// As [`on_bench`], with other documents.
pub(super) fn on_bench_of(documents: &str, test: impl AsyncFnOnce(Bench)) {
    with(Answers::AtOnce, documents, test);
}

/// As [`on_bench`], over a backbone that answers so.
pub(super) fn over(answers: Answers, test: impl AsyncFnOnce(Bench)) {
    with(answers, DOCUMENTS, test);
}

fn with(answers: Answers, documents: &str, test: impl AsyncFnOnce(Bench)) {
    let mut builder = runtime::Builder::new_current_thread();
    let builder = builder.enable_all().start_paused(true);
    let runtime = builder.build_local(runtime::LocalOptions::default());
    runtime.unwrap().block_on(async {
        let (sender, receiver) = oneshot::channel();
        let main = async |worker| sender.send(worker).unwrap();
        worker::run(0, Arc::default(), main).await;
        test(Bench::new(receiver.await.unwrap(), answers, documents)).await;
    });
}

fn shared(backbone: Arc<dyn Backbone>, documents: &Documents) -> Arc<Shared> {
    let secrets = Secrets {
        documents,
        mounted: None,
    };
    let policy = Policy::compile(documents, &secrets, None).unwrap();
    let runtime = runtime::Handle::current();
    Arc::new(Shared {
        backbone,
        backend: Arc::new(CurrentBackend::new(
            &policy,
            None,
            &runtime,
            &Registry::new(),
        )),
        policy: Arc::new(ArcSwap::from_pointee(policy)),
        applications: Arc::default(),
        revocations: Arc::new(RwLock::default()),
        admission: Arc::default(),
        trace: Arc::default(),
        compression: false,
        number: 1,
    })
}

fn backbone(
    inboxes: &Arc<Inboxes>,
    answers: Answers,
    elsewhere: &Arc<Elsewhere>,
) -> (Arc<Memory>, Arc<dyn Backbone>) {
    if answers == Answers::AtOnce {
        let memory = Arc::new(Memory::new(Arc::clone(inboxes) as _));
        return (Arc::clone(&memory), memory);
    }
    let memory = Arc::new(Memory::new(Arc::new(Busy(Arc::clone(inboxes)))));
    (
        Arc::clone(&memory),
        Arc::new(Slow(memory, Arc::clone(elsewhere))),
    )
}

impl Bench {
    fn new(worker: Rc<Worker>, answers: Answers, text: &str) -> Self {
        let source = Source {
            name: "test.yaml",
            text,
        };
        let documents = sluice_crds::load(&[source]).unwrap();
        let (inboxes, mut receivers) = Inboxes::new(1);
        let elsewhere = Arc::default();
        let (memory, backbone) = backbone(&inboxes, answers, &elsewhere);
        let shared = shared(backbone, &documents);
        let inbox = receivers.pop().unwrap();
        let hub = Hub::new(worker, shared, Arc::new(HubCounters::default()), &inbox);
        tokio::task::spawn_local(Rc::clone(&hub).run(inbox));
        tokio::task::spawn_local(Rc::clone(&hub).turn());
        Self {
            hub,
            inboxes,
            memory,
            elsewhere,
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            ends: RefCell::default(),
        }
    }

    pub(super) fn token(&self, user: &str, ttl: Duration) -> String {
        let policy = self.hub.policy();
        let rules = policy.auth.tokens.as_ref().unwrap().rules();
        let claims = serde_json::Map::new();
        sign_development_token(rules, KEY.as_bytes(), user, claims, ttl, unix_seconds()).unwrap()
    }

    /// A new session of a user, with a connection.
    pub(super) async fn enter(&self, user: &str) -> Rc<Session> {
        self.knock(user, Knock::default()).await.unwrap()
    }

    /// A new session of a user who has read so far elsewhere.
    pub(super) async fn enter_from(&self, user: &str, read: Option<Reading>) -> Rc<Session> {
        let knock = Knock {
            read: position(read),
            ..Knock::default()
        };
        self.knock(user, knock).await.unwrap()
    }

    /// A user's session again, over another connection.
    pub(super) async fn recover(&self, user: &str, session: &Session) -> Rc<Session> {
        let again = self.return_from(user, session, None).await;
        assert_eq!(again.id, session.id);
        again
    }

    /// A user who had a session comes back, and says how far it has read.
    pub(super) async fn return_from(
        &self,
        user: &str,
        session: &Session,
        read: Option<Reading>,
    ) -> Rc<Session> {
        let knock = Knock {
            pid: Some(session.pid),
            read: position(read),
            ..Knock::default()
        };
        self.knock(user, knock).await.unwrap()
    }

    async fn knock(&self, user: &str, knock: Knock) -> Result<Rc<Session>, Failure> {
        let (connection, end) = self.connection().await;
        self.ends.borrow_mut().push(end);
        let (session, _) = self.let_in(user, knock, connection).await?;
        Ok(session)
    }

    /// A client whose end of its connection is its own. Says last whether it is recovered.
    pub(super) async fn come(
        &self,
        user: &str,
        knock: Knock,
    ) -> (Rc<Session>, Rc<Connection>, TcpStream, bool) {
        let (connection, end) = self.connection().await;
        let entered = self.let_in(user, knock, Rc::clone(&connection)).await;
        let (session, recovered) = entered.unwrap();
        (session, connection, end, recovered)
    }

    async fn let_in(
        &self,
        user: &str,
        knock: Knock,
        connection: Rc<Connection>,
    ) -> Result<(Rc<Session>, bool), Failure> {
        let entered = self.try_knock(user, knock, || true).await?.unwrap();
        let recovered = entered.recovered;
        let session = self.hub.attach(entered, Outlet::Native(connection));
        self.hub.told_connected(&session);
        Ok((session, recovered))
    }

    /// A user who may lose interest before it is let in.
    pub(super) async fn try_knock(
        &self,
        user: &str,
        knock: Knock,
        wanted: impl Fn() -> bool,
    ) -> Result<Option<Entered>, Failure> {
        let knock = Knock {
            namespace: "/".into(),
            protocol: "websocket",
            token: Some(self.token(user, Duration::from_hours(1)).into()),
            ..knock
        };
        Rc::clone(&self.hub).enter(knock, wanted).await
    }

    pub(super) async fn connection(&self) -> (Rc<Connection>, TcpStream) {
        let end = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        // Nobody looks after a connection that is blocked here, and none is from now on.
        stream.writable().await.unwrap();
        let options = Options {
            max_message: 65_536,
            max_outbound: 1 << 20,
            deflate: false,
        };
        let worker = Rc::clone(&self.hub.worker);
        (Connection::new(worker, stream.into(), &options), end)
    }

    /// Begins an operation; its result comes later.
    pub(super) fn ask(
        &self,
        session: &Rc<Session>,
        operation: Operation<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + use<> {
        let (sender, receiver) = oneshot::channel();
        let _ = self.hub.perform(session, operation, |outcome: &Outcome| {
            let outcome = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
            sender.send(outcome).unwrap();
        });
        async { receiver.await.unwrap() }
    }
}

fn position(read: Option<Reading>) -> ClientPosition {
    read.map_or(ClientPosition::None, ClientPosition::Known)
}
