//! Moving connections off this gateway: the one path for every cause.

mod movers;
mod pace;
mod rebalance;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use sluice_contract::{DrainPhase, DrainProgress, DrainRequest};
use sluice_nats::Nats;
use sluice_policy::Policy;
use sluice_spans::span;
use sluice_util::lock;
use tokio::{sync::watch, task::JoinHandle};
use tracing::Instrument as _;

pub(crate) use self::movers::Movers;
use self::rebalance::Rebalance;
use crate::admission::Admission;

/// How long the last closed connections get to read why.
const FAREWELL: Duration = Duration::from_millis(500);

/// Drains this gateway when told to.
pub(crate) struct Drainer {
    admission: Arc<Admission>,
    policy: Arc<ArcSwap<Policy>>,
    movers: Movers,
    /// The fleet, whose rate all draining gateways share.
    nats: Option<Arc<Nats>>,
    state: watch::Sender<DrainPhase>,
    moved: AtomicU64,
    plan: Mutex<Plan>,
    runtime: tokio::runtime::Handle,
}

#[derive(Default)]
struct Plan {
    task: Option<JoinHandle<()>>,
    rate: Option<f64>,
    ends: Option<Instant>,
    rebalance: Option<Rebalance>,
    /// Whether the process was told to end, so that the drain cannot be taken back.
    last: bool,
}

impl Drainer {
    pub(crate) fn new(
        admission: Arc<Admission>,
        policy: Arc<ArcSwap<Policy>>,
        movers: Movers,
        nats: Option<Arc<Nats>>,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        Arc::new(Self {
            admission,
            policy,
            movers,
            nats,
            state: watch::Sender::new(DrainPhase::Serving),
            moved: AtomicU64::new(0),
            plan: Mutex::default(),
            runtime,
        })
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    pub(crate) fn phase(&self) -> DrainPhase {
        *self.state.borrow()
    }

    /// Whether it moves all connections, and takes no new ones soon.
    pub(crate) fn drains(&self) -> bool {
        !matches!(self.phase(), DrainPhase::Serving | DrainPhase::Rebalance)
    }

    /// How many connections are still to be moved, where any are.
    pub(crate) fn to_move(&self) -> Option<u64> {
        match self.phase() {
            DrainPhase::Serving => None,
            DrainPhase::Rebalance => Some(self.excess()),
            _ => Some(self.admission.open()),
        }
    }

    /// Begins a drain, unless one is under way. It takes over from a rebalance.
    pub(crate) fn begin(self: &Arc<Self>, reason: &'static str, rate: Option<f64>) {
        let mut plan = self.plan();
        Rebalance::end(&mut plan);
        plan.rate = rate.or(plan.rate);
        if plan.task.is_none() {
            self.moved.store(0, Ordering::Relaxed);
            let drainer = Arc::clone(self);
            let span = span!("drain", reason);
            let run = async move { drainer.run(reason).await };
            plan.task = Some(self.runtime.spawn(run.instrument(span)));
        }
    }

    /// Begins a drain that cannot be taken back, or makes the one that is under way such a one:
    /// the process ends after it.
    pub(crate) fn terminate(self: &Arc<Self>) {
        self.plan().last = true;
        self.begin("shutdown", None);
    }

    /// Waits until no connection is left or the deadline has passed.
    pub(crate) async fn released(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as self.
        let _ = state.wait_for(|phase| *phase == DrainPhase::Release).await;
    }

    async fn run(self: Arc<Self>, reason: &'static str) {
        let settings = self.policy.load().drain;
        let started = Instant::now();
        let deadline = started + settings.deadline;
        let ends = started + settings.settle + settings.window;
        self.plan().ends = Some(ends.min(deadline));
        self.enter(DrainPhase::Settle, reason);
        let settle = self.settle(settings.settle.min(settings.deadline));
        settle.instrument(span!("settle")).await;
        self.enter(DrainPhase::Notify, reason);
        self.admission.set_draining(true);
        let within_ms = settings.window.as_millis() as u64;
        self.movers.notify(reason, within_ms);
        self.enter(DrainPhase::Move, reason);
        let span = span!("move", connections = self.admission.open());
        let moved = self.move_all(ends.min(deadline), deadline);
        moved.instrument(span).await;
        // Those whom the deadline overtook, and those who never had a session.
        self.movers.close_rest();
        tokio::time::sleep(FAREWELL).await;
        drop(span!("release", connections = self.admission.open()));
        self.enter(DrainPhase::Release, reason);
    }

    fn enter(&self, phase: DrainPhase, reason: &str) {
        let connections = self.admission.open();
        tracing::info!(?phase, reason, connections, "the gateway moves connections");
        self.state.send_replace(phase);
    }

    /// Lets those connect who were on their way; there is no need to wait when nobody is here.
    async fn settle(&self, settle: Duration) {
        let ends = Instant::now() + settle;
        while Instant::now() < ends && self.admission.open() > 0 {
            tokio::time::sleep(Duration::from_millis(50).min(settle)).await;
        }
    }

    async fn move_all(&self, ends: Instant, deadline: Instant) {
        loop {
            let left = self.movers.close(0).await.left;
            if left == 0 || Instant::now() >= deadline {
                return;
            }
            let rate = self.rate();
            let time = ends.saturating_duration_since(Instant::now());
            let step = pace::next(left, time, rate, rand::random());
            let closed = self.movers.close(step.close).await.closed;
            self.moved.fetch_add(closed as u64, Ordering::Relaxed);
            tokio::time::sleep(step.pause).await;
        }
    }

    fn rate(&self) -> f64 {
        let asked = self.plan().rate;
        asked.unwrap_or_else(|| self.share())
    }

    /// The part of the fleet's rate that is this gateway's.
    fn share(&self) -> f64 {
        let all = f64::from(self.policy.load().drain.connections_per_second);
        let share = |nats: &Arc<Nats>| nats.with(|core, at, _| core.share(at, all));
        self.nats.as_ref().map_or(all, share)
    }
}

/// A drainer as the server API sees it.
pub(crate) struct DrainApi(pub(crate) Arc<Drainer>);

impl sluice_api::Drain for DrainApi {
    fn start(&self, request: DrainRequest) -> DrainProgress {
        if let Some(connections) = request.connections {
            self.0
                .rebalance(connections, request.connections_per_second);
            return self.0.progress();
        }
        let reason = match request.reason.as_deref() {
            Some("rollout") => "rollout",
            Some("scale-down") => "scale-down",
            Some("rebalance") => "rebalance",
            Some("node-drain") => "node-drain",
            _ => "requested",
        };
        self.0.begin(reason, request.connections_per_second);
        self.0.progress()
    }

    fn stop(&self) -> Option<DrainProgress> {
        self.0.stop()
    }

    fn progress(&self) -> DrainProgress {
        self.0.progress()
    }
}

impl Drainer {
    fn stop(&self) -> Option<DrainProgress> {
        let mut plan = self.plan();
        if plan.last || self.phase() == DrainPhase::Release {
            return None;
        }
        Rebalance::end(&mut plan);
        if let Some(task) = std::mem::take(&mut *plan).task {
            task.abort();
        }
        drop(plan);
        self.movers.stop();
        self.admission.set_draining(false);
        self.state.send_replace(DrainPhase::Serving);
        Some(self.progress())
    }

    fn progress(&self) -> DrainProgress {
        let phase = self.phase();
        let connections = self.admission.open();
        let remaining = self.to_move().unwrap_or(connections);
        let rate = match phase {
            DrainPhase::Move => self.rate(),
            DrainPhase::Rebalance => self.rebalance_rate(),
            _ => 0.0,
        };
        DrainProgress {
            phase,
            moved: self.moved.load(Ordering::Relaxed),
            remaining,
            connections,
            rate,
            eta: self.eta(phase, count(remaining) / rate.max(1e-9)),
        }
    }

    /// How long it will take, where `at_rate` is what it would take by the rate alone.
    fn eta(&self, phase: DrainPhase, at_rate: f64) -> Option<f64> {
        if phase == DrainPhase::Rebalance {
            return Some(at_rate);
        }
        let left = self.plan().ends?.saturating_duration_since(Instant::now());
        let left = left.as_secs_f64();
        Some(if phase == DrainPhase::Move {
            left.min(at_rate)
        } else {
            left
        })
    }
}

/// A count of connections, for arithmetic; no gateway has more than `u32::MAX`.
fn count(connections: u64) -> f64 {
    u32::try_from(connections).unwrap_or(u32::MAX).into()
}
