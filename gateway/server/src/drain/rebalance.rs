//! Moving some connections off this gateway, which goes on otherwise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sluice_contract::DrainPhase;
use tokio::task::JoinHandle;

use super::{Drainer, Plan, pace};

/// A rebalance under way.
pub(super) struct Rebalance {
    task: JoinHandle<()>,
    /// How many connections are still to be closed.
    left: Arc<AtomicU64>,
    /// How many a second, at most.
    rate: Option<f64>,
}

impl Rebalance {
    /// Ends the one that is under way, if any.
    pub(super) fn end(plan: &mut Plan) {
        if let Some(rebalance) = plan.rebalance.take() {
            rebalance.task.abort();
        }
    }
}

impl Drainer {
    /// Closes `connections` at a rate, unless all of them are being closed. One that is under way
    /// goes on with this number and rate.
    pub(super) fn rebalance(self: &Arc<Self>, connections: u64, rate: Option<f64>) {
        let mut plan = self.plan();
        if plan.task.is_some() {
            return;
        }
        if let Some(rebalance) = &mut plan.rebalance {
            rebalance.left.store(connections, Ordering::Relaxed);
            rebalance.rate = rate;
            return;
        }
        self.moved.store(0, Ordering::Relaxed);
        self.enter(DrainPhase::Rebalance, "rebalance");
        let left = Arc::new(AtomicU64::new(connections));
        let (drainer, to_close) = (Arc::clone(self), Arc::clone(&left));
        let task = self
            .runtime
            .spawn(async move { drainer.even_out(&to_close).await });
        plan.rebalance = Some(Rebalance { task, left, rate });
    }

    async fn even_out(self: Arc<Self>, left: &AtomicU64) {
        let settings = self.policy.load().drain;
        self.settle(settings.settle).await;
        let ends = Instant::now() + settings.window;
        loop {
            let time = ends.saturating_duration_since(Instant::now());
            let Some(pause) = self.close_some(left, time).await else {
                break;
            };
            tokio::time::sleep(pause).await;
        }
        let mut plan = self.plan();
        // Whoever began a drain meanwhile has taken it away.
        if plan.rebalance.take().is_some() {
            self.movers.stop();
            self.enter(DrainPhase::Serving, "rebalance");
        }
    }

    /// Closes the next few connections, and says how long to pause; none where there are no more
    /// to close.
    async fn close_some(&self, left: &AtomicU64, time: Duration) -> Option<Duration> {
        let open = self.admission.open();
        let most = left.load(Ordering::Relaxed).min(open);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let step = pace::next(most, time, self.rebalance_rate(), rand::random());
        if step.close == 0 {
            return None;
        }
        let closed = self.movers.close(step.close).await.closed as u64;
        if closed == 0 {
            return None;
        }
        self.moved.fetch_add(closed, Ordering::Relaxed);
        let less = |left: u64| Some(left.saturating_sub(closed));
        let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        Some(step.pause)
    }

    /// How many connections a rebalance has still to close.
    pub(super) fn excess(&self) -> u64 {
        let plan = self.plan();
        let left = plan
            .rebalance
            .as_ref()
            .map(|r| r.left.load(Ordering::Relaxed));
        left.unwrap_or(0)
    }

    /// The rate asked for, but never more than the gateway's share of the fleet's.
    pub(super) fn rebalance_rate(&self) -> f64 {
        let asked = self.plan().rebalance.as_ref().and_then(|r| r.rate);
        let share = self.share();
        asked.map_or(share, |asked| asked.min(share))
    }
}
