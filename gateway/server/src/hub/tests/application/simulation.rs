//! Clients, instances that come, go, stop and die, and a way between them that loses, repeats, delays
//! and reorders: whatever happens, each event is handled, answered once, and handled twice only where
//! the instance is told so.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use rand::{RngExt as _, seq::IteratorRandom as _};
use serde_json::Value;

use super::{
    super::{super::Session, ending},
    Place, at_place,
    instance::{Instance, Taken},
    place::Faults,
};

/// How many seeds are run. `SLUICE_SIM_RUNS` has others run, from `SLUICE_SIM_FIRST` on, and
/// `SLUICE_SIM_SEED` one alone.
const SEEDS: u64 = 200;

/// Seeds that failed once, and are run beside those.
const FAILED: [u64; 1] = [1_156];

/// How many turns of 10 ms things happen.
const TURNS: usize = 700;

/// How many turns all may take to come to rest.
const REST: usize = 4_000;

struct Client {
    session: Rc<Session>,
    /// How many events it has emitted.
    emitted: u64,
    /// What it was answered, by the event's number.
    answers: Rc<RefCell<BTreeMap<u64, Vec<String>>>>,
    asked: u64,
}

struct Scene {
    place: Rc<Place>,
    clients: Vec<Client>,
    started: usize,
    /// What instances took that are not there any more.
    taken: Vec<Vec<Taken>>,
    /// Whether none has died or been stopped.
    orderly: bool,
}

impl Scene {
    fn chance(&self, of: f64) -> bool {
        self.place.random.borrow_mut().random_bool(of)
    }

    fn start(&mut self) {
        self.started += 1;
        let id = format!("i{}", self.started);
        self.place.start(&id);
        let answers = self.chance(0.7);
        self.place.with(&id, |it| it.answers = answers);
    }

    fn emit(&mut self) {
        let at = self
            .place
            .random
            .borrow_mut()
            .random_range(0..self.clients.len());
        let asks = self.chance(0.7);
        let client = &mut self.clients[at];
        client.emitted += 1;
        let number = client.emitted;
        let answer = asks.then(|| -> crate::hub::Answer {
            client.asked += 1;
            let answers = Rc::clone(&client.answers);
            Box::new(move |array, _| {
                answers
                    .borrow_mut()
                    .entry(number)
                    .or_default()
                    .push(array.to_owned());
            })
        });
        let array = format!(r#"["e",{number}]"#);
        let hub = &self.place.bench.hub;
        let flow = hub.event_for_application(&client.session, &array, &[], answer);
        assert!(flow.is_continue());
    }

    fn some_instance(&self) -> Option<String> {
        let instances = self.place.instances.borrow();
        let here = instances.values().filter(|it| it.stays());
        let mut random = self.place.random.borrow_mut();
        here.map(|it| it.id.clone()).choose(&mut *random)
    }

    fn here(&self) -> usize {
        let instances = self.place.instances.borrow();
        instances.values().filter(|it| it.stays()).count()
    }

    fn happen(&mut self) {
        let now = tokio::time::Instant::now().into_std();
        while self.chance(0.3) {
            self.emit();
        }
        if self.here() < 2 || self.here() < 4 && self.chance(0.003) {
            self.start();
        }
        for instance in self.place.instances.borrow_mut().values_mut() {
            if instance.runs(now) {
                instance.stopped = None;
                instance.answer_all();
            }
        }
        let Some(id) = self.some_instance() else {
            return;
        };
        let what = self.place.random.borrow_mut().random_range(0..1_000);
        match what {
            0..3 => self.place.with(&id, Instance::leave),
            3..5 => {
                let gone = self.place.kill(&id);
                self.taken.push(gone.taken);
                self.orderly = false;
            }
            5..7 => {
                let ms = self.place.random.borrow_mut().random_range(100..9_000);
                let until = Some(now + Duration::from_millis(ms));
                self.place.with(&id, |it| it.stopped = until);
                self.orderly = false;
            }
            _ => {}
        }
        self.bury();
    }

    /// Ends the processes of those that have left.
    fn bury(&mut self) {
        let left: Vec<_> = {
            let instances = self.place.instances.borrow();
            let left = instances.values().filter(|it| it.has_left());
            left.map(|it| it.id.clone()).collect()
        };
        for id in left {
            if self.chance(0.02) {
                self.taken.push(self.place.kill(&id).taken);
            }
        }
    }

    fn all(&self) -> Vec<Vec<Taken>> {
        let instances = self.place.instances.borrow();
        let here = instances.values().map(|it| it.taken.clone());
        self.taken.iter().cloned().chain(here).collect()
    }

    fn is_at_rest(&self) -> bool {
        let all = self.all();
        let handled = |client: &Client| {
            let id = client.session.id.to_string();
            let mut taken: Vec<u64> = of(&all, &id).map(number).collect();
            taken.sort_unstable();
            taken.dedup();
            taken.len() as u64 == client.emitted
        };
        let answered = |client: &Client| client.answers.borrow().len() as u64 == client.asked;
        self.clients
            .iter()
            .all(|client| answered(client) && handled(client))
    }

    fn check(&self, seed: u64) {
        let all = self.all();
        for client in &self.clients {
            let id = client.session.id.to_string();
            assert_eq!(
                ending(&client.session),
                None,
                "seed {seed}: nobody is closed"
            );
            for (event, answers) in &*client.answers.borrow() {
                assert_eq!(
                    answers.len(),
                    1,
                    "seed {seed}: event {event} is answered once"
                );
            }
            let mut first: Vec<u64> = of(&all, &id)
                .filter(|it| !it.repeated)
                .map(number)
                .collect();
            let handled = first.len();
            first.sort_unstable();
            first.dedup();
            assert_eq!(
                first.len(),
                handled,
                "seed {seed}: what is handled again is said to be"
            );
            let times = of(&all, &id).count() as u64;
            assert!(
                !self.orderly || times == client.emitted,
                "seed {seed}: each is handled once"
            );
            for one in &all {
                let taken: Vec<u64> = one
                    .iter()
                    .filter(|it| it.session == id && !it.repeated)
                    .map(number)
                    .collect();
                assert!(taken.is_sorted(), "seed {seed}: in their order: {taken:?}");
            }
        }
    }
}

fn of<'a>(all: &'a [Vec<Taken>], session: &'a str) -> impl Iterator<Item = &'a Taken> {
    all.iter()
        .flatten()
        .filter(move |taken| taken.session == session)
}

fn number(taken: &Taken) -> u64 {
    taken.array.get(1).and_then(Value::as_u64).unwrap()
}

async fn play(place: Rc<Place>, seed: u64) {
    let mut scene = Scene {
        place,
        clients: Vec::new(),
        started: 0,
        taken: Vec::new(),
        orderly: true,
    };
    scene.start();
    scene.start();
    for user in ["ann", "bob", "cay", "dan"] {
        let session = scene.place.enter(user).await;
        scene.clients.push(Client {
            session,
            emitted: 0,
            answers: Rc::default(),
            asked: 0,
        });
    }
    let faults = {
        let mut random = scene.place.random.borrow_mut();
        Faults {
            loss: random.random_range(0.0..0.2),
            twice: random.random_range(0.0..0.1),
            delay: random.random_range(0..150),
        }
    };
    scene.place.faults.set(faults);
    for _ in 0..TURNS {
        scene.happen();
        scene.place.turn().await;
    }
    scene.place.faults.set(Faults::default());
    if scene.here() == 0 {
        scene.start();
    }
    for _ in 0..REST {
        if scene.is_at_rest() {
            break;
        }
        for instance in scene.place.instances.borrow_mut().values_mut() {
            let now = tokio::time::Instant::now().into_std();
            if instance.runs(now) {
                instance.stopped = None;
                instance.answer_all();
            }
        }
        scene.bury();
        scene.place.turn().await;
    }
    assert!(scene.is_at_rest(), "seed {seed} does not come to rest");
    // What is still on its way may be handled once more, and must say so.
    for _ in 0..100 {
        scene.place.turn().await;
    }
    scene.check(seed);
}

#[test]
fn each_event_is_handled_and_answered_once_whatever_becomes_of_instances_and_of_the_way() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (first, runs, failed) = match number("SLUICE_SIM_SEED") {
        Some(seed) => (seed, 1, &[][..]),
        None => (
            number("SLUICE_SIM_FIRST").unwrap_or(0),
            number("SLUICE_SIM_RUNS").unwrap_or(SEEDS),
            &FAILED[..],
        ),
    };
    for seed in (first..first + runs).chain(failed.iter().copied()) {
        at_place(seed, async |place| play(place, seed).await);
    }
}
