//! Gateways: how they start, drain, rebalance and end.

use rand::{RngExt as _, seq::SliceRandom as _};
use sluice_contract::{DrainPhase, DrainProgress};
use sluice_operator::fleet::DrainCommand;

use crate::world::{SECOND, World};

/// How long a container takes to start again.
const RESTART: u64 = 2;

#[derive(Debug, Clone, Default)]
pub struct Pod {
    pub id: u32,
    pub name: String,
    pub revision: String,
    /// Where it runs; `None` while no node takes it.
    pub node: Option<usize>,
    pub created: u64,
    /// When its container runs.
    pub runs_at: u64,
    /// When it is ready.
    pub ready_at: u64,
    pub serving: bool,
    pub terminating: bool,
    pub cost: Option<i32>,
    pub drain: Drain,
    /// Until when its server API does not answer.
    pub silent_until: u64,
    pub clients: Vec<usize>,
    pub running: bool,
    pub ready: bool,
    pub gone: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Drain {
    pub phase: DrainPhase,
    pub began: u64,
    pub moved: u64,
    pub rate: f64,
    /// What a rebalance has still to close, and how fast it may.
    pub left: u64,
    pub asked: Option<f64>,
    credit: f64,
}

impl Pod {
    pub fn accepts(&self) -> bool {
        let open = [
            DrainPhase::Serving,
            DrainPhase::Rebalance,
            DrainPhase::Settle,
        ];
        self.running && open.contains(&self.drain.phase)
    }

    fn drains(&self) -> bool {
        !matches!(
            self.drain.phase,
            DrainPhase::Serving | DrainPhase::Rebalance
        )
    }

    /// How many connections it has to move, as it tells the others.
    fn to_move(&self) -> u64 {
        match self.drain.phase {
            DrainPhase::Serving => 0,
            DrainPhase::Rebalance => self.drain.left,
            _ => self.clients.len() as u64,
        }
    }

    pub fn begin_drain(&mut self, now: u64) {
        if self.running && !self.drains() {
            self.drain = Drain {
                phase: DrainPhase::Settle,
                began: now,
                ..Drain::default()
            };
        }
    }

    pub fn seen(&self) -> DrainProgress {
        let remaining = match self.drain.phase {
            DrainPhase::Rebalance => self.drain.left,
            _ => self.clients.len() as u64,
        };
        DrainProgress {
            phase: self.drain.phase,
            moved: self.drain.moved,
            remaining,
            connections: self.clients.len() as u64,
            rate: self.drain.rate,
            eta: Some(remaining as f64 / self.drain.rate.max(0.1)),
        }
    }
}

impl World {
    pub fn command(&mut self, name: &str, command: &DrainCommand) {
        let now = self.now;
        let Some(pod) = self
            .pod(name)
            .filter(|pod| pod.running && pod.silent_until <= now)
        else {
            return;
        };
        match command {
            DrainCommand::Start { .. } => pod.begin_drain(now),
            DrainCommand::Rebalance { connections, rate } if !pod.drains() => {
                pod.drain = Drain {
                    phase: DrainPhase::Rebalance,
                    began: now,
                    left: *connections,
                    asked: *rate,
                    ..Drain::default()
                };
            }
            DrainCommand::Rebalance { .. } => {}
            DrainCommand::Cancel => {
                // What its signal began goes on.
                if pod.drain.phase != DrainPhase::Release && !pod.terminating {
                    pod.drain = Drain::default();
                }
            }
        }
    }

    pub fn run_gateways(&mut self) {
        let all: u64 = self.pods.iter().map(Pod::to_move).sum();
        for at in 0..self.pods.len() {
            self.start_gateway(at);
            if self.pods[at].running {
                self.run_gateway(at, all);
            }
        }
        self.pods.retain(|pod| !pod.gone);
    }

    fn start_gateway(&mut self, at: usize) {
        let now = self.now;
        let broken = self.broken.contains(&self.pods[at].revision);
        let pod = &mut self.pods[at];
        pod.running = pod.node.is_some() && pod.runs_at <= now;
        pod.ready = pod.running && pod.ready_at <= now && !broken;
    }

    fn run_gateway(&mut self, at: usize, all: u64) {
        let (now, settings) = (self.now, self.spec.settings.clone());
        let pod = &mut self.pods[at];
        let age = (now - pod.drain.began) as f64 / SECOND as f64;
        let settle = settings.settle.as_secs_f64();
        match pod.drain.phase {
            DrainPhase::Settle if age >= settle || pod.clients.is_empty() => {
                pod.drain.phase = DrainPhase::Move;
            }
            DrainPhase::Serving | DrainPhase::Settle | DrainPhase::Notify => {}
            DrainPhase::Rebalance if age < settle => {}
            DrainPhase::Rebalance | DrainPhase::Move => self.close_some(at, all, age),
            DrainPhase::Release => self.exit(at),
        }
    }

    /// Closes what the rate allows; at the deadline, all.
    fn close_some(&mut self, at: usize, all: u64, age: f64) {
        let settings = self.spec.settings.clone();
        let pod = &mut self.pods[at];
        let (left, partly) = (pod.to_move(), pod.drain.phase == DrainPhase::Rebalance);
        let rate = f64::from(settings.connections_per_second);
        let share = (rate * left as f64 / all.max(1) as f64).max(rate.min(1.0));
        let share = pod.drain.asked.map_or(share, |asked| asked.min(share));
        let window = (settings.settle + settings.window).as_secs_f64() - age;
        pod.drain.rate = (left as f64 / window.max(0.02)).min(share);
        pod.drain.credit += pod.drain.rate / SECOND as f64;
        let mut close = (pod.drain.credit as usize).min(left as usize);
        pod.drain.credit -= close as f64;
        let overdue = !partly && age >= settings.deadline.as_secs_f64();
        if overdue {
            close = left as usize;
        }
        pod.clients.shuffle(&mut self.rng);
        close = close.min(pod.clients.len());
        let closed = pod.clients.split_off(pod.clients.len() - close);
        pod.drain.moved += closed.len() as u64;
        if partly {
            pod.drain.left -= (closed.len() as u64).min(pod.drain.left);
        }
        let done = if partly {
            pod.drain.left == 0
        } else {
            pod.clients.is_empty()
        };
        if done {
            pod.drain.phase = if partly {
                DrainPhase::Serving
            } else {
                DrainPhase::Release
            };
        }
        let from = pod.revision.clone();
        self.note_closed(&from, closed.len() as u64, overdue);
        self.disconnect(closed, true);
    }

    /// The process ends; unless its pod is being deleted, it starts again.
    pub fn exit(&mut self, at: usize) {
        let lost = std::mem::take(&mut self.pods[at].clients);
        self.disconnect(lost, false);
        let (now, warm) = (self.now, self.rng.random_range(1..=5 * SECOND));
        let pod = &mut self.pods[at];
        pod.gone = pod.terminating;
        pod.drain = Drain::default();
        pod.runs_at = now + RESTART;
        pod.ready_at = now + RESTART + warm;
        (pod.running, pod.ready) = (false, false);
    }
}
