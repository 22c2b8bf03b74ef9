//! One run: a world, its time, and what happens in it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sluice_contract::Names;
use sluice_nats::core::{At, Core};
use sluice_rooms::Pid;

use crate::{
    checks::Published,
    client::Client,
    conn::Conn,
    faults::Faults,
    hub::Inbox,
    nats::Server,
    network::{Down, Link, Up},
    node::Node,
    place::Places,
    wire::{Ask, Frame},
};

/// A millisecond; all times are in microseconds since the run began.
pub const MS: u64 = 1_000;

const GATEWAYS: usize = 3;
const CLIENTS: usize = 5;

/// How many lines of a trace are kept.
const LINES: usize = 20_000;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Things go wrong.
    Storm,
    /// Nothing does any more.
    Calm,
    /// Everybody moves, and nobody may be told now that it is not recovered.
    Moves,
    /// Nobody publishes any more.
    Quiet,
    /// No clock ticks any more: what is on its way arrives, and that is all.
    Still,
}

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    Tick(u32),
    Work(u32, usize),
    Completed(u32),
    Up(u32, u64, Up),
    Down(u32, u64, Down),
    Republish { seq: u64, previous: u64, term: u64 },
    LinkLost(u32),
    LinkUp(u32),
    Elected(String),
    ToClient(u64, Frame),
    ToHub(u64, Ask),
    ConnGone(u64),
    Drained(u32),
    Act(usize),
    Publish,
    Calamity,
}

pub struct World {
    base: Instant,
    pub now: u64,
    pub rng: SmallRng,
    pub faults: Faults,
    pub stage: Stage,
    /// So many clients have left all rooms.
    pub gone: usize,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    pub server: Server,
    /// Which leader the rooms' stream has.
    pub term: u64,
    pub passed_on: u64,
    pub names: Names,
    pub places: Places,
    pub links: BTreeMap<u32, Link>,
    pub nodes: BTreeMap<u32, Node>,
    /// What every gateway that there ever was has delivered.
    pub inboxes: BTreeMap<u32, Arc<Inbox>>,
    /// When a gateway heard of a message first.
    pub heard: BTreeMap<(u32, u64), u64>,
    /// When a gateway gave up a session, or died with it.
    pub left: BTreeMap<(String, u32), u64>,
    pub clients: Vec<Client>,
    pub conns: BTreeMap<u64, Conn>,
    pub last_conn: u64,
    pub published: BTreeMap<u64, Published>,
    pub counts: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
    tracing: bool,
    lines: VecDeque<String>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub failures: Vec<String>,
    pub counts: BTreeMap<&'static str, u64>,
    pub lines: VecDeque<String>,
    pub faults: Faults,
}

impl World {
    pub fn new(seed: u64, tracing: bool) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let faults = Faults::of(&mut rng);
        let names = Names::new("default", "sim");
        let kept = rng.random_range(1..4);
        let limit = faults.few.unwrap_or(100_000) as usize;
        Self {
            base: Instant::now(),
            now: 0,
            server: Server::new(names.clone(), faults.few),
            rng,
            faults,
            stage: Stage::Storm,
            gone: 0,
            queue: BTreeMap::new(),
            scheduled: 0,
            term: 0,
            passed_on: 0,
            names,
            places: Places::new(kept, limit),
            links: BTreeMap::new(),
            nodes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            heard: BTreeMap::new(),
            left: BTreeMap::new(),
            clients: (0..CLIENTS).map(Client::new).collect(),
            conns: BTreeMap::new(),
            last_conn: 0,
            published: BTreeMap::new(),
            counts: BTreeMap::new(),
            failures: Vec::new(),
            tracing,
            lines: VecDeque::new(),
        }
    }

    /// A storm, then calm; then everybody moves once more.
    pub fn run(mut self) -> Outcome {
        let storm = self.between(2_000 * MS, 12_000 * MS);
        for _ in 0..GATEWAYS {
            self.start_gateway();
        }
        for client in 0..CLIENTS {
            self.after(client as u64, Event::Act(client));
        }
        self.after(0, Event::Publish);
        self.after(500 * MS, Event::Calamity);
        self.until(storm);
        self.trace(|| "calm".to_owned());
        self.stage = Stage::Calm;
        self.until(storm + 22_000 * MS);
        self.stage = Stage::Moves;
        for moves in 0..2 {
            for client in 0..CLIENTS {
                self.cut(client);
            }
            self.until(storm + 26_000 * MS + moves * 4_000 * MS);
        }
        self.stage = Stage::Quiet;
        self.until(storm + 33_000 * MS);
        self.leave_for_good();
        self.until(storm + 36_000 * MS);
        self.list_members();
        self.until(storm + 37_000 * MS);
        self.stage = Stage::Still;
        self.until(u64::MAX);
        self.check_end();
        self.outcome()
    }

    /// All goes well, until a gateway dies together with the leaders of both streams: others are
    /// elected while its clients come back, and nobody may be told that it is not recovered.
    pub fn run_election(mut self) -> Outcome {
        // All that is published meanwhile is kept: else it would be gone when they are back.
        let few = self.faults.few.map(|few| few.max(50));
        if let Some(few) = few {
            self.server.rooms.per_subject = Some(few);
            self.places = Places::new(self.places.len() - 1, few as usize);
        }
        self.faults = Faults {
            few,
            ..Faults::default()
        };
        for _ in 0..GATEWAYS {
            self.start_gateway();
        }
        for client in 0..CLIENTS {
            self.after(client as u64, Event::Act(client));
        }
        self.after(0, Event::Publish);
        self.until(5_000 * MS);
        self.stage = Stage::Moves;
        for stream in [self.names.rooms_stream(), self.names.sessions_stream()] {
            self.server.leaderless.insert(stream.clone());
            self.after(3_000 * MS, Event::Elected(stream));
        }
        let gateways = self.clients.iter().filter_map(|client| client.conn);
        let gateway = gateways.map(|conn| self.conns[&conn].gateway).next();
        self.crash(gateway.unwrap_or_default());
        self.until(20_000 * MS);
        self.outcome()
    }

    fn outcome(self) -> Outcome {
        Outcome {
            failures: self.failures,
            counts: self.counts,
            lines: self.lines,
            faults: self.faults,
        }
    }

    /// Lets everything happen up to a time, or a failure.
    fn until(&mut self, end: u64) {
        while self.failures.is_empty()
            && let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(event);
        }
        if end != u64::MAX {
            self.now = end;
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(gateway) => self.tick(gateway),
            Event::Work(gateway, worker) => self.work(gateway, worker),
            Event::Completed(gateway) => {
                self.with_core(gateway, Core::completed);
            }
            Event::Up(gateway, number, up) => self.arrived_up(gateway, number, up),
            Event::Down(gateway, number, down) => self.arrived_down(gateway, number, &down),
            Event::Republish {
                seq,
                previous,
                term,
            } => self.republish(seq, previous, term),
            Event::LinkLost(gateway) => {
                self.trace(|| format!("link of {gateway:x} is lost"));
                self.with_core(gateway, Core::disconnected);
            }
            Event::LinkUp(gateway) => {
                self.trace(|| format!("link of {gateway:x} is there"));
                self.link_up(gateway);
            }
            Event::Elected(stream) => self.elected(&stream),
            Event::ToClient(conn, frame) => self.frame(conn, &frame),
            Event::ToHub(conn, ask) => self.asked(conn, ask),
            Event::ConnGone(conn) => self.conn_gone(conn),
            Event::Drained(gateway) => self.crash(gateway),
            Event::Act(client) if self.stage < Stage::Still => self.act(client),
            Event::Publish => self.publish(),
            Event::Calamity => self.calamity(),
            Event::Act(_) => {}
        }
    }

    /// Whether nothing goes wrong any more.
    pub fn is_calm(&self) -> bool {
        self.stage >= Stage::Calm
    }

    pub fn schedule(&mut self, at: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), event);
    }

    pub fn after(&mut self, delay: u64, event: Event) {
        self.schedule(self.now + delay, event);
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.rng.random_range(least..=most)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.rng.random_range(0..bound)
    }

    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        if self.tracing {
            if self.lines.len() >= LINES {
                self.lines.pop_front();
            }
            let (now, line) = (self.now, line());
            self.lines
                .push_back(format!("{:>9}.{:03} {line}", now / MS, now % MS));
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn fail(&mut self, why: String) {
        self.failures.push(why);
    }

    pub fn at(&self) -> At {
        At {
            now: self.base + Duration::from_micros(self.now),
            time: 1_700_000_000_000 + self.now / MS,
        }
    }

    pub fn subject(&self, room: usize) -> String {
        let key = self.places.key(room);
        let place = sluice_contract::place(&key.namespace, &key.name);
        self.names.stored(&place)
    }

    pub fn fresh_pid(&mut self) -> Pid {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let bytes: [u8; 16] = self.rng.random();
        Pid::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap()
    }
}
