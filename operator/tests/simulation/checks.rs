//! What must hold.

use std::collections::VecDeque;

use sluice_contract::DrainPhase;
use sluice_operator::fleet::{Decision, DrainCommand, Observed, PodSeen};

use crate::{
    gateway::Pod,
    scenario::{Event, Kind},
    world::{SECOND, World},
};

/// Over how many ticks the rate is judged.
const RATE_TICKS: usize = 20;

/// When gateways have heard that a rollout is undone. Until then they may close a few more.
const HEARD: u64 = 3 * SECOND;

pub struct Checks {
    watched: bool,
    /// The wanted number at the least since the watch began.
    floor: usize,
    /// Closed by drains, in each of the last ticks.
    closed: VecDeque<u64>,
    closed_now: u64,
    /// When gateways have heard that the rollout is undone.
    undone: Option<u64>,
    /// The connections beyond the mean when the fleet began to be evened out.
    moved: u64,
}

impl Checks {
    pub fn new() -> Self {
        Self {
            watched: false,
            floor: 0,
            closed: VecDeque::new(),
            closed_now: 0,
            undone: None,
            moved: 0,
        }
    }
}

fn open(pod: &PodSeen) -> bool {
    let drains = pod
        .drain
        .is_some_and(|drain| !matches!(drain.phase, DrainPhase::Serving | DrainPhase::Rebalance));
    pod.ready && !pod.terminating && !drains
}

impl World {
    pub fn note_event(&mut self, event: &Event) {
        match event {
            Event::Watch => {
                self.clients.iter_mut().for_each(|client| client.moves = 0);
                self.checks.watched = true;
                self.checks.floor = self.spec.settings.replicas as usize;
                let connected = self.clients.iter().all(|client| client.at.is_some());
                let up = !matches!(self.kind, Kind::Chaos | Kind::Autoscaling);
                if up && (!connected || self.pods.iter().any(|pod| !pod.ready)) {
                    self.fail("the fleet was not up when the watch began");
                }
            }
            Event::Revision("a") if self.kind == Kind::Undo => {
                self.checks.undone = Some(self.now + HEARD);
            }
            Event::Replicas(replicas) => {
                self.checks.floor = self.checks.floor.min(*replicas as usize);
            }
            _ => {}
        }
    }

    /// Connections closed by a drain, at their deadline if `cut`.
    pub fn note_closed(&mut self, revision: &str, connections: u64, cut: bool) {
        self.checks.moved += connections;
        self.count("moved", connections);
        if cut {
            self.count("cut", connections);
        } else {
            self.checks.closed_now += connections;
        }
        if cut && connections > 0 && self.kind != Kind::Chaos && self.operator.wanted() > 0 {
            self.fail(&format!(
                "{connections} connections were cut at the deadline"
            ));
        }
        let undone = self.checks.undone.is_some_and(|at| self.now > at);
        if undone && connections > 0 && revision == "a" {
            self.fail("the undone rollout moves clients of the revision that stays");
        }
    }

    /// A pod was deleted with so many clients.
    pub fn note_deleted(&mut self, clients: u64) {
        if clients > 0 && !matches!(self.kind, Kind::Chaos) && self.operator.wanted() > 0 {
            self.fail(&format!("a pod was deleted with {clients} clients"));
        }
    }

    pub fn check_decision(&mut self, observed: &Observed, decision: &Decision) {
        if decision.desired_replicas == 0 {
            return;
        }
        let serves = |pod: &&PodSeen| open(pod) && pod.serving;
        let after = |pod: &&PodSeen| {
            let change = decision.serving.iter().find(|(name, _)| *name == pod.name);
            open(pod) && change.map_or(pod.serving, |(_, serving)| *serving)
        };
        let before = observed.pods.iter().filter(serves).count();
        if before > 0 && observed.pods.iter().filter(after).count() == 0 {
            self.fail(&format!(
                "the last gateway that serves leaves the Service: {decision:?}"
            ));
        }
        for (name, command) in &decision.drain {
            let pod = observed.pods.iter().find(|pod| pod.name == *name).unwrap();
            let out = !pod.serving || !pod.ready;
            if *command != DrainCommand::Cancel && !out {
                self.fail(&format!("{name} drains while it serves"));
            }
        }
        let twice = decision.drain.iter().any(|(name, _)| {
            decision
                .drain
                .iter()
                .filter(|(other, _)| other == name)
                .count()
                > 1
        });
        if twice {
            self.fail(&format!("a gateway is told two things: {decision:?}"));
        }
    }

    pub fn check_tick(&mut self) {
        self.check_rate();
        if self.checks.undone == Some(self.now) {
            self.clients.iter_mut().for_each(|client| client.moves = 0);
        }
        if !self.checks.watched || self.kind == Kind::Chaos || self.kind == Kind::Autoscaling {
            return;
        }
        let live = self.pods.iter().filter(|pod| !pod.terminating);
        let (live, ready) = (live.clone().count(), live.filter(|pod| pod.ready).count());
        if ready < self.checks.floor {
            let floor = self.checks.floor;
            self.fail(&format!(
                "{ready} gateways are ready, and {floor} are wanted"
            ));
        }
        let serves = |pod: &Pod| pod.ready && pod.serving && !pod.terminating;
        if self.checks.floor > 0 && !self.pods.iter().any(serves) {
            self.fail("no gateway serves");
        }
        let wanted = self.spec.settings.replicas;
        let surge = self.spec.settings.max_surge.of(wanted) as usize;
        if matches!(self.kind, Kind::Rollout | Kind::Undo) && live > wanted as usize + surge {
            self.fail(&format!(
                "{live} gateways run, beyond {wanted} and a surge of {surge}"
            ));
        }
        if self.checks.floor > 0 && self.clients.iter().any(|client| client.moves > 1) {
            self.fail("a client was moved twice");
        }
    }

    /// All drains together keep to the fleet's rate, but for one a second that each may close.
    fn check_rate(&mut self) {
        let closed = std::mem::take(&mut self.checks.closed_now);
        self.checks.closed.push_back(closed);
        if self.checks.closed.len() > RATE_TICKS {
            self.checks.closed.pop_front();
        }
        let seconds = RATE_TICKS as u64 / SECOND;
        let rate = u64::from(self.spec.settings.connections_per_second);
        let most = seconds * (rate + self.pods.len() as u64) + self.pods.len() as u64;
        let closed: u64 = self.checks.closed.iter().sum();
        if closed > most {
            self.fail(&format!(
                "{closed} connections were closed in {seconds} s at {rate} a second"
            ));
        }
    }

    pub fn check_end(&mut self) {
        let wanted = self.operator.wanted();
        if wanted > 0 && !self.is_finalised() {
            self.fail("rests with a version that all gateways read and that is not finalised");
        }
        let right = |pod: &Pod| pod.revision == self.spec.revision && pod.ready && pod.serving;
        if self.pods.len() != wanted || !self.pods.iter().all(right) {
            self.fail(&format!(
                "rests with other pods than {wanted} of the wanted revision"
            ));
        }
        if self
            .pods
            .iter()
            .any(|pod| pod.cost.is_some_and(|cost| cost != 0))
        {
            self.fail("a pod that stays would be removed first");
        }
        match self.kind {
            Kind::ScaleUp => self.check_even(),
            Kind::Autoscaling => self.check_scale(),
            _ => {}
        }
    }

    /// Nobody has far more than the mean, and no more were moved than had to be.
    fn check_even(&mut self) {
        let mean = self.clients.len() / self.pods.len().max(1);
        let most = self
            .pods
            .iter()
            .map(|pod| pod.clients.len())
            .max()
            .unwrap_or(0);
        if most > mean + (mean / 5).max(100) {
            self.fail(&format!(
                "a gateway has {most} connections, and the mean is {mean}"
            ));
        }
        let new = self.pods.len() as u64;
        let bound = self.clients.len() as u64;
        if self.checks.moved > bound / 2 + new * 100 {
            let moved = self.checks.moved;
            self.fail(&format!(
                "{moved} of {bound} clients were moved to even out"
            ));
        }
    }

    /// As many as the connections ask for, or one more that may be kept for calm.
    fn check_scale(&mut self) {
        let clients = self.clients.iter().filter(|client| !client.gone).count();
        let scaling = self.spec.settings.autoscaling.clone().unwrap();
        let bounded = |count: usize| {
            count.clamp(scaling.min_replicas as usize, scaling.max_replicas as usize)
        };
        let least = bounded(clients.div_ceil(50));
        let most = bounded(clients.div_ceil(45));
        if !(least..=most).contains(&self.pods.len()) {
            let pods = self.pods.len();
            self.fail(&format!(
                "{pods} gateways for {clients} clients, not {least} to {most}"
            ));
        }
    }
}
