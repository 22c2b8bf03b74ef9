//! Clients that join, leave, are cut off after any frame and come back, beside a model of what
//! they must get.
//!
//! A run is told by its seed. What a client has is what it read before it was cut off: the rest was
//! sent, and is lost. It goes on as the documentation tells clients to.

mod client;
mod frames;

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use sluice_backbone::{Backbone as _, Publication};
use sluice_rooms::{Publisher, RoomKey};
use tokio::task::yield_now;

use self::client::Client;
use super::bench::{Answers, Bench, over};

/// How many runs a test makes, unless `SLUICE_SIM_RUNS` says otherwise.
const RUNS: u64 = 60;

/// How many things happen in a run.
const STEPS: usize = 250;

const CLIENTS: usize = 3;

/// Rooms with a history: those called long hold all that a run publishes.
const ROOMS: [&str; 4] = ["long-a", "long-b", "long-c", "kept"];

/// What was published, by room.
#[derive(Default)]
struct Model(BTreeMap<&'static str, Vec<u64>>);

impl Model {
    /// The offsets in a room after one and up to another.
    fn between(&self, room: &str, after: u64, through: u64) -> Vec<u64> {
        let offsets = self.0.get(room).into_iter().flatten().copied();
        offsets
            .filter(|offset| *offset > after && *offset <= through)
            .collect()
    }
}

struct Run {
    bench: Bench,
    rng: StdRng,
    model: Model,
    clients: Vec<Client>,
}

impl Run {
    async fn new(bench: Bench, seed: u64) -> Self {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(Client::new(&bench, format!("user-{number}")).await);
        }
        Self {
            bench,
            rng: StdRng::seed_from_u64(seed),
            model: Model::default(),
            clients,
        }
    }

    fn publish(&mut self) {
        let room = *ROOMS.choose(&mut self.rng).unwrap();
        let policy = self.bench.hub.policy();
        let settings = crate::rules::settings(policy.room("/", room).unwrap());
        let except = self.rng.random_ratio(1, 8);
        let session = self.clients[0].session();
        let publication = Publication {
            room: RoomKey::new("/", room),
            settings,
            event: "m".into(),
            data: "1".into(),
            attachments: Vec::new(),
            from: None,
            publisher: Publisher::Application,
            id: None,
            // What a session publishes without echo.
            except: except.then_some(session),
        };
        let reply = self.bench.memory.publish(publication);
        let sluice_backbone::Reply::Now(receipt) = reply else {
            panic!("a receipt is there at once");
        };
        let offset = receipt.unwrap().position.unwrap().offset;
        self.model.0.entry(room).or_default().push(offset);
        if except {
            self.clients[0].published(offset);
        }
    }

    async fn step(&mut self) {
        let number = self.rng.random_range(0..CLIENTS);
        match self.rng.random_range(0..100) {
            0..45 => (0..self.rng.random_range(1..6)).for_each(|_| self.publish()),
            45..65 => {
                let room = *ROOMS.choose(&mut self.rng).unwrap();
                let goes_on = self.rng.random_bool(0.6);
                self.clients[number].join(&self.bench, room, goes_on);
            }
            65..70 => {
                let room = *ROOMS.choose(&mut self.rng).unwrap();
                self.clients[number].leave(&self.bench, room);
            }
            70..85 => yield_now().await,
            85..93 => {
                let most = self.rng.random_range(1..12);
                self.clients[number].read(most, &self.model);
            }
            _ => {
                let most = self.rng.random_range(0..8);
                self.clients[number].read(most, &self.model);
                let is_noticed = self.rng.random_bool(0.5);
                let client = &mut self.clients[number];
                client.come_back(&self.bench, &self.model, is_noticed).await;
            }
        }
    }

    async fn end(&mut self) {
        for _ in 0..50 {
            yield_now().await;
        }
        for client in &mut self.clients {
            client.get_everything(&self.model);
        }
    }
}

fn run(seed: u64, answers: Answers) {
    over(answers, async |bench| {
        let mut run = Run::new(bench, seed).await;
        for _ in 0..STEPS {
            run.step().await;
        }
        run.end().await;
    });
}

/// Says which run it was that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("replay with SLUICE_SIM_SEED={}", self.0);
        }
    }
}

fn runs(answers: Answers) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (first, runs) = match number("SLUICE_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (
            number("SLUICE_SIM_FIRST").unwrap_or(0),
            number("SLUICE_SIM_RUNS").unwrap_or(RUNS),
        ),
    };
    for seed in first..first + runs {
        let seed = Seed(seed);
        run(seed.0, answers);
    }
    println!("{runs} runs from seed {first}");
}

#[test]
fn whoever_is_cut_off_after_any_frame_gets_everything_once_and_in_order() {
    runs(Answers::AtOnce);
}

#[test]
fn so_does_whoever_is_cut_off_while_the_backbone_answers_late() {
    runs(Answers::Later);
}
