//! The operator: it sees, decides, and writes as far as it gets.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::RngExt as _;
use sluice_contract::WireVersion;
use sluice_operator::fleet::{
    Decision, Observed, Phase, PodSeen, Remembered, RevisionSeen, decide,
};

use crate::{
    clients::Client,
    gateway::Pod,
    scenario::Kind,
    world::{SECOND, World},
};

/// How well the operator fares.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// How likely a write fails.
    pub write: f64,
    /// How likely it is restarted in the middle of its writes.
    pub restart: f64,
    /// By how many ticks what it knows of pods, and of Deployments, is behind.
    pub behind: (usize, usize),
}

/// The most that a watch is behind, in ticks.
pub const BEHIND: usize = 2;

/// What all gateways read.
const READS: WireVersion = WireVersion(2);

pub struct Operator {
    pub faults: Faults,
    /// What the status says of wire versions.
    finalised: Option<WireVersion>,
    /// The gateways that have said what they read.
    heard: BTreeSet<String>,
    pub down_until: u64,
    pub last_message: String,
    remembered: Remembered,
    desired: Option<u32>,
    look_at: u64,
    /// Since when nothing was to be done.
    idle_since: Option<u64>,
    last_phase: Phase,
    /// Whether it waits for something that nothing but time brings.
    waits: bool,
}

impl Operator {
    pub fn new(faults: Faults) -> Self {
        Self {
            faults,
            finalised: None,
            heard: BTreeSet::new(),
            down_until: 0,
            last_message: String::new(),
            remembered: Remembered::default(),
            desired: None,
            look_at: 0,
            idle_since: None,
            last_phase: Phase::default(),
            waits: false,
        }
    }

    pub fn restart(&mut self) {
        self.remembered = Remembered::resumed(7);
        self.heard.clear();
    }

    /// Something has happened: it is not known to rest.
    pub fn wake(&mut self) {
        self.idle_since = None;
    }

    /// How many gateways it wants.
    pub fn wanted(&self) -> usize {
        self.desired.unwrap_or(0) as usize
    }
}

impl World {
    pub fn operate(&mut self) {
        if self.now < self.operator.down_until || self.now < self.operator.look_at {
            return;
        }
        let observed = self.observe();
        let decision = decide(&observed, &self.spec.settings);
        self.check_decision(&observed, &decision);
        let again = decide(
            &Observed {
                remembered: decision.remember.clone(),
                ..observed.clone()
            },
            &self.spec.settings,
        );
        if (
            &again.replicas,
            &again.serving,
            &again.drain,
            &again.deletion_cost,
        ) != (
            &decision.replicas,
            &decision.serving,
            &decision.drain,
            &decision.deletion_cost,
        ) {
            self.fail(&format!(
                "decided otherwise the second time: {decision:?}, {again:?}"
            ));
        }
        // What happens to pods wakes the operator sooner than it asked to be.
        let soon = decision.look_again.as_secs().clamp(1, 2) * SECOND;
        self.operator.look_at = self.now + self.rng.random_range(1..=soon);
        self.note(&observed, &decision);
        self.write(&decision);
    }

    fn note(&mut self, observed: &Observed, decision: &Decision) {
        let deployments = self
            .deployments
            .iter()
            .map(|(name, n)| (name.clone(), *n))
            .collect();
        let same = decision.replicas == deployments
            && decision.serving.is_empty()
            && decision.drain.is_empty()
            && decision.deletion_cost.is_empty()
            && observed.desired_replicas == Some(decision.desired_replicas);
        let since = self.operator.idle_since.unwrap_or(self.now);
        self.operator.idle_since = same.then_some(since);
        if !same || decision.phase != self.operator.last_phase {
            self.say(|w| format!("{:?} {:?}", decision.phase, w.summary(decision)));
        }
        if !same {
            self.count("writes", 1);
        }
        self.operator.last_phase = decision.phase;
        self.operator.waits = decision.remember.waits();
        self.operator.last_message.clone_from(&decision.message);
    }

    fn summary(&self, decision: &Decision) -> String {
        let pods = self.pods.iter().map(|pod| {
            let flags = [(pod.serving, 's'), (pod.ready, 'r'), (pod.terminating, 't')];
            let flags: String = flags
                .iter()
                .filter(|flag| flag.0)
                .map(|flag| flag.1)
                .collect();
            format!(
                "{}:{}{flags}{:?}",
                pod.name,
                pod.clients.len(),
                pod.drain.phase
            )
        });
        format!(
            "{:?} serving {:?} drain {:?} costs {:?} | {:?}",
            decision.replicas,
            decision.serving,
            decision.drain,
            decision.deletion_cost,
            pods.collect::<Vec<_>>()
        )
    }

    /// Whether nothing was to be done for so long that nothing will be.
    pub fn rests(&self) -> bool {
        // Autoscaling acts after some minutes.
        let calm = if self.kind == Kind::Autoscaling {
            700
        } else {
            40
        };
        self.is_idle_for(calm * SECOND)
    }

    /// Whether time can pass faster: nothing happens before the next event.
    pub fn is_quiet(&self) -> bool {
        self.is_idle_for(10 * SECOND)
    }

    fn is_idle_for(&self, ticks: u64) -> bool {
        let away = |client: &Client| client.at.is_none() && !client.gone;
        let all_there = self.operator.wanted() == 0 || !self.clients.iter().any(away);
        let idle = self
            .operator
            .idle_since
            .is_some_and(|since| self.now >= since + ticks);
        let steady = self.operator.last_phase == Phase::Steady && !self.operator.waits;
        let ends = self.pods.iter().any(|pod| pod.terminating);
        all_there && idle && steady && !ends
    }

    /// Watches are behind by a little.
    pub fn tell_watchers(&mut self) {
        let bare = |pod: &Pod| Pod {
            clients: Vec::new(),
            ..pod.clone()
        };
        let pods = self.pods.iter().map(bare).collect();
        self.told.push_back((pods, self.deployments.clone()));
        while self.told.len() > BEHIND + 1 {
            self.told.pop_front();
        }
    }

    fn observe(&self) -> Observed {
        let (pods, deployments) = self.operator.faults.behind;
        let last = self.told.len() - 1;
        let pods = &self.told[last.saturating_sub(pods)].0;
        let deployments = &self.told[last.saturating_sub(deployments)].1;
        let revisions = deployments.iter().map(|(name, replicas)| RevisionSeen {
            name: name.clone(),
            replicas: *replicas,
            ready: pods
                .iter()
                .filter(|p| p.revision == *name && p.ready)
                .count() as u32,
        });
        Observed {
            revision: self.spec.revision.clone(),
            paused: self.spec.paused,
            now: time(self.now),
            desired_replicas: self.operator.desired,
            finalised: self.operator.finalised,
            revisions: revisions.collect(),
            pods: pods.iter().map(|pod| self.see(pod)).collect(),
            remembered: self.operator.remembered.clone(),
        }
    }

    fn see(&self, pod: &Pod) -> PodSeen {
        // Gateways themselves are asked now.
        let gateway = self.pods.iter().find(|it| it.id == pod.id);
        // Of those that the operator cannot reach, some are not heard of either.
        let silent = |it: &Pod| it.silent_until > self.now;
        let gone = |it: &Pod| !it.running || (silent(it) && it.id % 3 == 1);
        let gone = pod.running && pod.ready && gateway.is_some_and(gone);
        let unsure = |it: &Pod| silent(it) && it.id % 3 == 2;
        let unsure = gateway.is_some_and(unsure);
        let gateway = gateway.filter(|it| it.running && it.silent_until <= self.now);
        let gateway = gateway.filter(|_| pod.running);
        PodSeen {
            name: pod.name.clone(),
            revision: pod.revision.clone(),
            running: pod.running,
            gone,
            unsure,
            ready: pod.ready && !gone,
            serving: pod.serving,
            terminating: pod.terminating,
            node_unschedulable: pod.node.is_some_and(|node| self.nodes[node]),
            deletion_cost: pod.cost,
            drain: gateway.map(Pod::seen),
            connections: gateway.map(|gateway| gateway.clients.len() as u64),
            reads: self.operator.heard.contains(&pod.name).then_some(READS),
            created: time(pod.created),
        }
    }

    /// Writes in an order that another operator might choose too; some of it may fail.
    fn write(&mut self, decision: &Decision) {
        self.operator.remembered.clone_from(&decision.remember);
        self.operator.desired = Some(decision.desired_replicas);
        for (name, serving) in &decision.serving {
            if self.fails() {
                continue;
            }
            if let Some(pod) = self.pod(name) {
                pod.serving = *serving;
            }
        }
        for (name, command) in &decision.drain {
            if !self.fails() {
                self.command(name, command);
            }
        }
        if self.chance(self.operator.faults.restart) {
            self.count("restarts", 1);
            return self.operator.restart();
        }
        for (name, cost) in &decision.deletion_cost {
            if self.fails() {
                continue;
            }
            if let Some(pod) = self.pod(name) {
                pod.cost = Some(*cost);
            }
        }
        if !self.fails() {
            self.deployments = decision.replicas.clone();
        }
        self.finalise(decision);
    }

    /// The fleet says what its gateways read, and what is finalised is written.
    fn finalise(&mut self, decision: &Decision) {
        let answers = |pod: &&Pod| pod.running && pod.silent_until <= self.now;
        let said = self.pods.iter().filter(answers).map(|pod| pod.name.clone());
        self.operator.heard.extend(said);
        if decision.finalise.is_some() && decision.finalise <= self.operator.finalised {
            self.fail("what is finalised is made less, or written again");
        }
        if decision.finalise.is_some() && decision.progress.is_some() {
            self.fail("a version is finalised while a rollout is under way");
        }
        if decision.finalise.is_some() && !self.fails() {
            self.operator.finalised = decision.finalise.max(self.operator.finalised);
        }
    }

    /// Whether all that can be finalised is.
    pub fn is_finalised(&self) -> bool {
        self.operator.finalised == Some(READS)
    }

    fn fails(&mut self) -> bool {
        self.chance(self.operator.faults.write)
    }
}

fn time(ticks: u64) -> Timestamp {
    Timestamp::from_millisecond((1_000_000 + ticks * 1000 / SECOND) as i64).unwrap()
}
