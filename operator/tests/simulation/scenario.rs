//! What happens in a run.

use std::{collections::VecDeque, time::Duration};

use rand::{RngExt as _, rngs::SmallRng};
use sluice_crds::cluster::Autoscaling;
use sluice_operator::fleet::{Settings, Surge};

use crate::{
    operator::{BEHIND, Faults},
    world::{SECOND, Spec, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rollout,
    Undo,
    ScaleDown,
    ScaleUp,
    Cordon,
    Autoscaling,
    Chaos,
}

#[derive(Debug, Clone)]
pub enum Event {
    /// From here on moves are counted, and the fleet is watched.
    Watch,
    Revision(&'static str),
    Broken(&'static str),
    Replicas(u32),
    Pause(bool),
    Cordon(usize, bool),
    /// The pods of a node are evicted.
    Evict(usize),
    Kill,
    Silence(u64),
    Restart,
    Down(u64),
    More(usize),
    Fewer(usize),
}

pub struct Start {
    pub spec: Spec,
    pub nodes: usize,
    pub clients: usize,
    /// When they come.
    pub come_at: u64,
    pub faults: Faults,
    pub events: VecDeque<(u64, Event)>,
}

/// When the fleet is up, whatever it is.
const UP: u64 = 60 * SECOND;

pub fn start(kind: Kind, rng: &mut SmallRng) -> Start {
    let settings = settings(kind, rng);
    let replicas = settings.replicas as usize;
    let clients = match kind {
        Kind::ScaleUp => replicas * rng.random_range(0..600),
        _ => rng.random_range(0..=80) * replicas,
    };
    let faults = Faults {
        write: if rng.random_bool(0.5) { 0.1 } else { 0.0 },
        restart: if rng.random_bool(0.5) { 0.1 } else { 0.0 },
        behind: (rng.random_range(0..=BEHIND), rng.random_range(0..=BEHIND)),
    };
    Start {
        events: events(kind, &settings, rng),
        spec: Spec {
            revision: "a".to_owned(),
            paused: false,
            settings,
        },
        nodes: 4,
        // Those that come early find few gateways, and are very unevenly spread.
        come_at: if kind == Kind::ScaleUp || rng.random_bool(0.5) {
            30 * SECOND
        } else {
            0
        },
        clients,
        faults: match kind {
            // What was moved before the operator heard of it does not count.
            Kind::Undo => Faults::default(),
            // One that is always restarted never sees that fewer have been enough for long.
            Kind::Autoscaling => Faults {
                restart: 0.0,
                ..faults
            },
            _ => faults,
        },
    }
}

fn settings(kind: Kind, rng: &mut SmallRng) -> Settings {
    let replicas = rng.random_range(1..=8);
    let surge = match rng.random_range(0..3) {
        0 => Surge::Number(rng.random_range(1..4)),
        1 => Surge::Percent(25),
        _ => Surge::Percent(100),
    };
    let scaling = Autoscaling {
        min_replicas: rng.random_range(1..4),
        max_replicas: 12,
        connections_per_pod: 50,
    };
    let scales = kind == Kind::Autoscaling || kind == Kind::Chaos && rng.random_bool(0.2);
    Settings {
        replicas,
        autoscaling: scales.then_some(scaling),
        max_connections: 5_000,
        rebalance: matches!(kind, Kind::ScaleUp | Kind::Chaos),
        max_surge: surge,
        settle: Duration::from_secs(5),
        window: Duration::from_secs(rng.random_range(5..40)),
        deadline: Duration::from_mins(2),
        // One gateway's connections can always be moved before the deadline.
        connections_per_second: rng.random_range(10..100),
    }
}

fn events(kind: Kind, settings: &Settings, rng: &mut SmallRng) -> VecDeque<(u64, Event)> {
    let mut events = vec![(UP, Event::Watch)];
    let mut later = |rng: &mut SmallRng, most: u64| UP + rng.random_range(1..=most * SECOND);
    match kind {
        Kind::Rollout => events.push((UP, Event::Revision("b"))),
        Kind::Undo => {
            events.push((UP, Event::Revision("b")));
            events.push((later(rng, 200), Event::Revision("a")));
        }
        Kind::ScaleDown => {
            events.push((UP, Event::Replicas(rng.random_range(0..=settings.replicas))));
        }
        Kind::ScaleUp => {
            let more = settings.replicas + rng.random_range(1..4);
            events.push((UP, Event::Replicas(more)));
        }
        Kind::Cordon => events.push((UP, Event::Cordon(rng.random_range(0..4), true))),
        Kind::Autoscaling => {
            for _ in 0..rng.random_range(1..4) {
                let count = rng.random_range(0..300);
                let event = if rng.random_bool(0.5) {
                    Event::More(count)
                } else {
                    Event::Fewer(count)
                };
                events.push((later(rng, 2000), event));
            }
        }
        Kind::Chaos => chaos(&mut events, rng, &mut later),
    }
    events.sort_by_key(|(at, _)| *at);
    events.into()
}

fn chaos(
    events: &mut Vec<(u64, Event)>,
    rng: &mut SmallRng,
    later: &mut impl FnMut(&mut SmallRng, u64) -> u64,
) {
    let length = rng.random_range(50..1000);
    for _ in 0..rng.random_range(1..15) {
        let at = later(rng, length);
        let event = match rng.random_range(0..14) {
            0 | 1 => Event::Revision(["a", "b", "c", "d"][rng.random_range(0..4)]),
            2 => Event::Broken(["x", "y"][rng.random_range(0..2)]),
            3 | 4 => Event::Replicas(rng.random_range(0..9)),
            5 => Event::Pause(true),
            6 => Event::Pause(false),
            7 => Event::Cordon(rng.random_range(0..4), true),
            8 => Event::Cordon(rng.random_range(0..4), false),
            9 => Event::Evict(rng.random_range(0..4)),
            10 => Event::Kill,
            11 => Event::Silence(rng.random_range(1..300) * SECOND),
            12 => Event::Restart,
            _ => Event::Down(rng.random_range(1..100) * SECOND),
        };
        events.push((at, event));
    }
    // In the end all is as it can be.
    let end = UP + length * SECOND + 1;
    events.push((end, Event::Pause(false)));
    events.push((
        end,
        Event::Revision(["a", "b", "c", "e"][rng.random_range(0..4)]),
    ));
    if rng.random_bool(0.5) {
        events.push((end, Event::Replicas(rng.random_range(1..9))));
    }
    for node in 1..4 {
        events.push((end, Event::Cordon(node, false)));
    }
}

impl World {
    pub fn happen(&mut self, event: &Event) {
        self.say(|_| format!("*** {event:?}"));
        self.note_event(event);
        self.operator.wake();
        match event {
            Event::Revision(name) => (*name).clone_into(&mut self.spec.revision),
            Event::Broken(name) => {
                self.broken.insert((*name).to_owned());
                (*name).clone_into(&mut self.spec.revision);
            }
            Event::Replicas(replicas) => self.spec.settings.replicas = *replicas,
            Event::Pause(paused) => self.spec.paused = *paused,
            Event::Cordon(node, cordoned) => self.nodes[*node] = *cordoned,
            Event::Evict(node) => {
                let there = |world: &Self, at: &usize| world.pods[*at].node == Some(*node);
                let pods: Vec<_> = (0..self.pods.len()).filter(|at| there(self, at)).collect();
                for at in pods {
                    self.delete(at);
                }
            }
            Event::Kill if self.pods.is_empty() => {}
            Event::Kill => {
                let at = self.rng.random_range(0..self.pods.len());
                self.exit(at);
            }
            Event::Silence(ticks) if !self.pods.is_empty() => {
                let at = self.rng.random_range(0..self.pods.len());
                self.pods[at].silent_until = self.now + ticks;
            }
            Event::Watch | Event::Silence(_) => {}
            Event::Restart => self.operator.restart(),
            Event::Down(ticks) => {
                self.operator.down_until = self.now + ticks;
                self.operator.restart();
            }
            Event::More(count) => self.add_clients(*count, 0),
            Event::Fewer(count) => self.remove_clients(*count),
        }
    }
}
