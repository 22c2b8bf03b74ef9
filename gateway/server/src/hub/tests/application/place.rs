//! A hub, an application, its instances, and the way between them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sluice_applications::{Application, Identity, Post, Recovery};
use sluice_contract::{GatewayNumber, Names};
use tokio::time::sleep;

use super::{
    super::{
        super::Session,
        bench::{Bench, on_bench_of},
    },
    instance::Instance,
};

const DOCUMENTS: &str = r"
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: test}
spec:
  auth: {required: true, jwt: {keySecretRef: {name: keys, key: jwt}}}
  limits: {messagesPerSecond: 10000}
  recovery: {window: 2m}
  backbone: {nats: {external: {url: 'nats://127.0.0.1:1'}}}
  applications:
    - {name: app, namespaces: [/], recovery: {}, limits: {unreadFor: 20s}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {jwt: a-key-for-tests-only-of-enough-length}
";

/// How long a turn is.
const TURN: Duration = Duration::from_millis(10);

/// What the gateway sends, until it is on its way.
#[derive(Debug, Default, Clone)]
struct Posted(Arc<Mutex<Vec<(String, Bytes)>>>);

impl Post for Posted {
    fn publish(&self, subject: &str, message: &[u8]) {
        let message = Bytes::copy_from_slice(message);
        self.0.lock().unwrap().push((subject.to_owned(), message));
    }

    fn is_connected(&self) -> bool {
        true
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// What the way does to messages.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Faults {
    /// How many are lost, of one.
    pub(in super::super) loss: f64,
    /// How many come twice.
    pub(in super::super) twice: f64,
    /// The longest that one takes, in milliseconds. Each takes its own time.
    pub(in super::super) delay: u64,
}

pub(in super::super) struct Place {
    pub(in super::super) bench: Bench,
    pub(in super::super) application: Arc<Application>,
    pub(in super::super) instances: RefCell<BTreeMap<String, Instance>>,
    pub(in super::super) random: RefCell<SmallRng>,
    pub(in super::super) faults: Cell<Faults>,
    /// Instances that get nothing now.
    pub(in super::super) deaf: RefCell<Vec<String>>,
    posted: Posted,
    names: Names,
    /// What is on its way, by when it arrives.
    coming: RefCell<BTreeMap<(Instant, u64), (String, Bytes)>>,
    sent: Cell<u64>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// Runs a test where an application has no instance yet.
pub(in super::super) fn at_place(seed: u64, test: impl AsyncFnOnce(Rc<Place>)) {
    on_bench_of(DOCUMENTS, async |bench| {
        let posted = Posted::default();
        let names = Names::new("default", "test");
        let identity = Identity {
            names: names.clone(),
            gateway: 1,
            name: "gateway".into(),
            zone: None,
            payload_bytes: 65_536,
        };
        let application = Application::over(
            "app",
            identity,
            Box::new(posted.clone()),
            Arc::clone(&bench.inboxes) as _,
            seed,
        );
        application.recover_with(Some(Recovery {
            window: Duration::from_mins(2),
            unnoticed: Duration::from_mins(1),
            bytes: 1 << 20,
        }));
        bench
            .hub
            .shared
            .applications
            .set([Arc::clone(&application)]);
        let place = Rc::new(Place {
            bench,
            application,
            instances: RefCell::default(),
            random: RefCell::new(SmallRng::seed_from_u64(seed)),
            faults: Cell::default(),
            deaf: RefCell::default(),
            posted,
            names,
            coming: RefCell::default(),
            sent: Cell::new(0),
        });
        test(place).await;
    });
}

impl Place {
    /// One more instance.
    pub(in super::super) fn start(&self, id: &str) {
        let instance = Instance::new(id);
        self.instances.borrow_mut().insert(id.to_owned(), instance);
    }

    /// An instance's process ends without a word.
    pub(in super::super) fn kill(&self, id: &str) -> Instance {
        self.instances.borrow_mut().remove(id).unwrap()
    }

    /// Does something with an instance.
    pub(in super::super) fn with<T>(&self, id: &str, act: impl FnOnce(&mut Instance) -> T) -> T {
        act(self.instances.borrow_mut().get_mut(id).unwrap())
    }

    /// Turns until something holds.
    pub(in super::super) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..10_000 {
            if holds(self) {
                return;
            }
            self.turn().await;
        }
        panic!("{what} never came to hold");
    }

    /// A client comes in, as soon as somebody lets it.
    pub(in super::super) async fn enter(&self, user: &str) -> Rc<Session> {
        let entering = self.bench.enter(user);
        let mut entering = std::pin::pin!(entering);
        loop {
            tokio::select! {
                biased;
                session = &mut entering => return session,
                () = self.turn() => {}
            }
        }
    }

    /// A little time goes by.
    pub(in super::super) async fn turn(&self) {
        let now = tokio::time::Instant::now().into_std();
        self.application.tick(now);
        self.application.flush(now);
        let posted = std::mem::take(&mut *self.posted.0.lock().unwrap());
        for (subject, message) in posted {
            self.send(&subject, &message, now);
        }
        let names = self.names.application("app");
        let mut said = Vec::new();
        for instance in self
            .instances
            .borrow_mut()
            .values_mut()
            .filter(|it| it.runs(now))
        {
            instance.tick(now);
            let beat = instance.beat(now).into_iter();
            said.extend(beat.map(|beat| (names.instance_beats(), beat)));
            let from = names.from(GatewayNumber(1));
            while let Some(frame) = instance.next(now) {
                said.push((from.clone(), frame));
            }
        }
        for (subject, message) in said {
            self.send(&subject, &message.into(), now);
        }
        self.arrive(now);
        sleep(TURN).await;
    }

    fn send(&self, subject: &str, message: &Bytes, now: Instant) {
        let (faults, mut random) = (self.faults.get(), self.random.borrow_mut());
        let copies = if random.random_bool(faults.twice) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if random.random_bool(faults.loss) {
                continue;
            }
            let delay = Duration::from_millis(random.random_range(0..=faults.delay));
            let number = self.sent.get() + 1;
            self.sent.set(number);
            let what = (subject.to_owned(), message.clone());
            self.coming.borrow_mut().insert((now + delay, number), what);
        }
    }

    fn arrive(&self, now: Instant) {
        let names = self.names.application("app");
        let later = self.coming.borrow_mut().split_off(&(now, u64::MAX));
        let due = self.coming.replace(later);
        for (subject, message) in due.into_values() {
            if subject == names.instance_beats() || subject == names.from(GatewayNumber(1)) {
                self.application.message(&subject, &message, now);
                continue;
            }
            for (id, instance) in &mut *self.instances.borrow_mut() {
                let deaf = self.deaf.borrow().contains(id) || !instance.runs(now);
                if names.to(id) == subject && !deaf {
                    instance.hear(&message, now);
                }
            }
        }
    }
}
