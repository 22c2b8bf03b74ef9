//! What goes wrong, and how often.

use rand::{RngExt as _, rngs::SmallRng};

use crate::run::{Event, MS, World};

/// How likely things are to go wrong in a run.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// A client's connection breaks.
    pub cut: f64,
    /// A message that is passed on never reaches one gateway, or none, and nothing tells so.
    pub silent: f64,
    /// A message overtakes another.
    pub reorder: f64,
    /// A message comes twice.
    pub duplicate: f64,
    /// A question, or its answer, is lost.
    pub unanswered: f64,
    /// A replica that answers is behind.
    pub lag: f64,
    /// A worker is busy for long.
    pub slow: f64,
    /// Things that happen to servers and gateways.
    pub events: Vec<Calamity>,
    /// How many messages a room keeps, where that is few.
    pub few: Option<u64>,
}

/// Something that happens to a server or a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calamity {
    Link,
    Leader,
    Away,
    Crash,
    Drain,
}

pub fn chance(rng: &mut SmallRng, of: f64) -> bool {
    of > 0.0 && rng.random_bool(of)
}

impl Faults {
    /// What goes wrong in a run.
    pub fn of(rng: &mut SmallRng) -> Self {
        use Calamity::{Away, Crash, Drain, Leader, Link};
        let mut some = |of: f64, most: f64| {
            if chance(rng, of) {
                rng.random_range(0.0..most)
            } else {
                0.0
            }
        };
        let mut faults = Self {
            cut: some(0.8, 0.4),
            silent: some(0.3, 0.2),
            reorder: some(0.3, 0.2),
            duplicate: some(0.3, 0.2),
            unanswered: some(0.4, 0.15),
            lag: some(0.4, 0.5),
            slow: some(0.3, 0.1),
            ..Self::default()
        };
        for event in [Link, Leader, Away, Crash, Drain] {
            if chance(rng, 0.45) {
                faults.events.push(event);
            }
        }
        faults.few = chance(rng, 0.15).then(|| rng.random_range(3..40));
        faults
    }

    /// Whether messages can be missing without anybody's notice.
    pub fn may_skip(&self) -> bool {
        self.silent > 0.0 || self.reorder > 0.0 || self.events.contains(&Calamity::Leader)
    }
}

impl World {
    /// Something happens, and the next thing some time later.
    pub fn calamity(&mut self) {
        if self.is_calm() || self.faults.events.is_empty() {
            return;
        }
        let next = self.between(200 * MS, 3_000 * MS);
        self.after(next, Event::Calamity);
        let which = self.below(self.faults.events.len());
        let event = self.faults.events[which];
        let nodes: Vec<_> = self.nodes.keys().copied().collect();
        let gateway = nodes[self.below(nodes.len())];
        self.trace(|| format!("calamity {event:?} {gateway:x}"));
        match event {
            Calamity::Link => {
                let away = self.between(50 * MS, 2_500 * MS);
                self.cut_link(gateway, away);
            }
            Calamity::Away => {
                let away = self.between(500 * MS, 7_000 * MS);
                for gateway in nodes {
                    let more = self.between(0, 500 * MS);
                    self.cut_link(gateway, away + more);
                }
            }
            Calamity::Leader => self.depose(),
            Calamity::Crash => self.crash(gateway),
            Calamity::Drain => self.drain(gateway),
        }
    }

    /// A stream loses its leader, who may not have passed on all that is stored.
    fn depose(&mut self) {
        let rooms = chance(&mut self.rng, 0.7);
        let stream = if rooms {
            self.term += 1;
            self.server.rooms.name.clone()
        } else {
            self.server.sessions.name.clone()
        };
        self.server.leaderless.insert(stream.clone());
        let election = self.between(50 * MS, 2_500 * MS);
        self.after(election, Event::Elected(stream));
    }
}
