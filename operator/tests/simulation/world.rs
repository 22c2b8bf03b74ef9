//! Everything there is, and how time passes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sluice_operator::fleet::Settings;

use crate::{
    checks::Checks,
    clients::Client,
    gateway::Pod,
    operator::Operator,
    scenario::{self, Event, Kind},
};

/// Ticks a second.
pub const SECOND: u64 = 2;

/// How long a run may take after its last event.
pub const PATIENCE: u64 = 7200 * SECOND;

/// What the user asks for.
#[derive(Debug, Clone)]
pub struct Spec {
    pub revision: String,
    pub paused: bool,
    pub settings: Settings,
}

pub struct World {
    pub kind: Kind,
    pub now: u64,
    pub rng: SmallRng,
    pub spec: Spec,
    /// Revisions whose gateways never become ready.
    pub broken: BTreeSet<String>,
    pub deployments: BTreeMap<String, u32>,
    pub pods: Vec<Pod>,
    pub next_pod: u32,
    pub clients: Vec<Client>,
    /// Whether each node is cordoned.
    pub nodes: Vec<bool>,
    /// Which pods the Service knew, the newest last.
    pub endpoints: VecDeque<Vec<u32>>,
    /// What a watch told of pods and of Deployments, the newest last.
    pub told: VecDeque<(Vec<Pod>, BTreeMap<String, u32>)>,
    pub operator: Operator,
    pub events: VecDeque<(u64, Event)>,
    pub checks: Checks,
    pub failures: Vec<String>,
    pub counts: BTreeMap<&'static str, u64>,
    pub lines: Vec<String>,
    trace: bool,
}

impl World {
    pub fn new(kind: Kind, seed: u64, trace: bool) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(kind as u64));
        let start = scenario::start(kind, &mut rng);
        let mut world = Self {
            kind,
            now: 0,
            rng,
            spec: start.spec,
            broken: BTreeSet::new(),
            deployments: BTreeMap::new(),
            pods: Vec::new(),
            next_pod: 0,
            clients: Vec::new(),
            nodes: vec![false; start.nodes],
            endpoints: VecDeque::new(),
            told: VecDeque::new(),
            operator: Operator::new(start.faults),
            events: start.events,
            checks: Checks::new(),
            failures: Vec::new(),
            counts: BTreeMap::new(),
            lines: Vec::new(),
            trace,
        };
        world.add_clients(start.clients, start.come_at);
        world.say(|w| {
            format!(
                "{kind:?}, {} clients, {:?}, {:?}",
                w.clients.len(),
                w.spec,
                w.events
            )
        });
        world
    }

    /// Until the fleet rests, or something is wrong.
    pub fn run(mut self) -> Self {
        let mut end = PATIENCE;
        while self.failures.is_empty() {
            while self.events.front().is_some_and(|(at, _)| *at <= self.now) {
                let event = self.events.pop_front().unwrap().1;
                self.happen(&event);
                end = self.now + PATIENCE;
            }
            self.tick();
            if self.events.is_empty() && self.rests() {
                self.check_end();
                break;
            }
            if self.now > end {
                let message = self.operator.last_message.clone();
                self.fail(&format!("the fleet does not come to rest: {message}"));
            }
        }
        self
    }

    fn tick(&mut self) {
        self.now += if self.is_quiet() {
            self.until_event()
        } else {
            1
        };
        self.control();
        self.run_gateways();
        self.publish_endpoints();
        self.connect_clients();
        self.tell_watchers();
        self.operate();
        self.check_tick();
    }

    /// How many ticks can pass at once.
    fn until_event(&self) -> u64 {
        let next = self
            .events
            .front()
            .map_or(u64::MAX, |(at, _)| at.saturating_sub(self.now));
        next.clamp(1, 10 * SECOND)
    }

    pub fn pod(&mut self, name: &str) -> Option<&mut Pod> {
        self.pods.iter_mut().find(|pod| pod.name == name)
    }

    pub fn chance(&mut self, of: f64) -> bool {
        of > 0.0 && self.rng.random_bool(of)
    }

    pub fn count(&mut self, what: &'static str, by: u64) {
        *self.counts.entry(what).or_default() += by;
    }

    pub fn say(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace {
            let line = format!("{:>7.1} {}", self.now as f64 / SECOND as f64, line(self));
            self.lines.push(line);
        }
    }

    pub fn fail(&mut self, why: &str) {
        let why = format!("after {} s: {why}", self.now / SECOND);
        self.say(|_| why.clone());
        self.failures.push(why);
    }
}
