//! From a `RealtimeCluster` to a fleet: read → check → plan → apply → status.

mod apply;
mod checks;
mod counts;
mod facts;
mod inventory;
mod moves;
mod pods;
mod status;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kube::runtime::controller::Action;
use sluice_crds::RealtimeClusterStatus;

use self::{checks::Checks, counts::Counts, facts::Facts, inventory::Inventory, moves::Mover};
use crate::{
    Kind, Object,
    context::Context,
    plan::{self, Inputs},
    reconcile::{Reconciler, RetryTimes, Stalled, identities},
    room::{Findings, FindingsByCluster},
    stores::reference,
    trouble::{Effect, Trouble},
};

/// How often a fleet that needs nothing is looked at all the same.
const RESYNC: Duration = Duration::from_mins(10);

/// How often one is looked at, at most, while something is in the way.
const SOON: Duration = Duration::from_secs(5);

/// How often one is looked at that waits for something outside of what is watched.
const WAITING: Duration = Duration::from_secs(10);

/// Has fleets be as their `RealtimeCluster`s say.
pub(crate) struct ClusterReconciler {
    context: Arc<Context>,
    /// Where the findings about Rooms go, whose status says them.
    findings: Arc<FindingsByCluster>,
    checks: Checks,
    mover: Mover,
    counts: Counts,
    retries: RetryTimes,
    stalled: Stalled,
}

impl ClusterReconciler {
    /// A reconciler that has looked at no cluster; what it finds about Rooms goes to the findings.
    pub(crate) fn new(context: Arc<Context>, findings: Arc<FindingsByCluster>) -> Self {
        Self {
            mover: Mover::new(context.backbones.clone()),
            stalled: Stalled::new(Kind::RealtimeCluster, context.metrics.clone()),
            context,
            findings,
            checks: Checks::default(),
            counts: Counts::default(),
            retries: RetryTimes::default(),
        }
    }

    /// All steps up to the status.
    async fn run(
        &self,
        object: &Arc<Object>,
        troubles: &mut Vec<Trouble>,
    ) -> Result<Facts, Trouble> {
        let context = &self.context;
        let inventory = inventory::read(object, context).await?;
        let checked = self.checks.check(&inventory).await;
        troubles.extend(checked.troubles.iter().cloned());
        let mut findings = Findings::new(&checked, &inventory.pods);
        let Some(cluster) = &checked.cluster else {
            self.note(&inventory, findings).await;
            return Ok(Facts::of_what_runs(&inventory));
        };
        let inputs = Inputs {
            cluster,
            documents: &checked.documents,
            keys: &inventory.keys,
            images: &context.settings.images,
            apis: context.apis,
            operator_namespace: &context.settings.operator_namespace,
            durability: inventory.durability(),
        };
        let revision = plan::revision(&inputs);
        let moves = self
            .mover
            .decide(&inventory, cluster, &revision, context)
            .await;
        let mut facts = Facts::new(&inventory, cluster, &moves);
        facts.look_again = Some(moves.look_again(cluster));
        troubles.extend(apply::apply(&inventory, &inputs, &moves, context).await);
        troubles.extend(Facts::troubles(&inventory));
        troubles.extend(moves.too_old());
        let ready = facts.backbone.ready;
        let delivery = context
            .backbones
            .deliver(
                &inputs,
                (&checked, &inventory.secrets),
                ready,
                &context.metrics,
            )
            .await;
        facts.delivered(&delivery, pods::is_ready(object));
        self.mover.heard(&inventory, &delivery.gateways);
        // The bucket first: what the status says is kept from being taken back by both.
        match context
            .backbones
            .finalise(&cluster.uid, moves.finalised())
            .await
        {
            Ok(finalised) => facts.finalised = finalised,
            Err(trouble) => troubles.push(trouble),
        }
        let counted = self.counts.count(&inventory, &moves).await;
        facts.counted(&counted);
        troubles.extend(delivery.trouble.clone());
        troubles.extend(delivery.too_large.clone());
        findings.delivery = Some(delivery);
        findings.activities = counted.activities;
        self.note(&inventory, findings).await;
        Ok(facts)
    }

    async fn note(&self, inventory: &Inventory, findings: Findings) {
        let (cluster, queue) = (inventory.object.uid(), &self.context.queues.rooms);
        self.findings
            .note(cluster, &inventory.rooms, findings, queue)
            .await;
    }

    /// Writes the status and tells people what is new in it.
    async fn report(
        &self,
        object: &Object,
        facts: Option<&Facts>,
        troubles: &[Trouble],
    ) -> Result<(), Trouble> {
        let before: RealtimeClusterStatus = object.read("status").unwrap_or_default();
        let now = jiff::Timestamp::now();
        let after = status::status(&before, object.generation(), facts, troubles, now);
        let value = serde_json::to_value(&after).unwrap_or_default();
        let writer = &self.context.writer;
        if writer.status(Kind::RealtimeCluster, object, &value).await? {
            for news in status::news(&before, &after) {
                tracing::info!(cluster = %object.name(), namespace = %object.namespace(), reason = %news.reason, "{}", news.message);
                let events = &self.context.events;
                events.tell(Kind::RealtimeCluster, object, &news).await;
            }
        }
        Ok(())
    }

    /// When to look again.
    fn settle(
        &self,
        object: &Object,
        troubles: &[Trouble],
        soon: Duration,
        started: Instant,
    ) -> Action {
        let uid = object.uid();
        let worst = troubles.iter().max_by_key(|trouble| trouble.effect);
        let worst = worst.filter(|trouble| trouble.effect != Effect::Notes);
        let outcome = worst.map_or("ok", |trouble| trouble.reason);
        let metrics = &self.context.metrics;
        metrics.reconciled(Kind::RealtimeCluster, outcome, started.elapsed());
        let stalls = worst.is_some_and(|trouble| trouble.effect == Effect::Stalls);
        self.stalled.set(uid, stalls);
        let Some(worst) = worst else {
            self.retries.went_well(uid);
            // One that was made anew under its name at once was never seen to be gone.
            self.sweep();
            return Action::requeue(soon.min(RESYNC).mul_f64(rand::random_range(0.8..1.2)));
        };
        tracing::debug!(cluster = %object.name(), namespace = %object.namespace(), trouble = %worst, "something is in the way");
        let least = if stalls { WAITING } else { Duration::ZERO };
        let pause = self.retries.pause(uid).max(least);
        // Moves go on, whatever else is in the way.
        Action::requeue(if soon < RESYNC {
            pause.min(soon.max(SOON))
        } else {
            pause
        })
    }

    /// Forgets the clusters that are gone.
    fn sweep(&self) {
        let there = identities(&self.context.stores, Kind::RealtimeCluster);
        let is_there = |uid: &str| there.contains(uid);
        self.checks.keep(is_there);
        self.mover.keep(is_there);
        self.counts.keep(is_there);
        self.retries.keep(is_there);
        self.stalled.keep(is_there);
        self.findings.keep(is_there);
        self.context.vault.keep(is_there);
        self.context.backbones.keep(is_there);
    }
}

impl Reconciler for ClusterReconciler {
    const KIND: Kind = Kind::RealtimeCluster;

    async fn reconcile(&self, object: Arc<Object>) -> Action {
        if object.is_deleted() {
            // What it owns goes with it.
            return Action::await_change();
        }
        let started = Instant::now();
        let mut troubles = Vec::new();
        let facts = match self.run(&object, &mut troubles).await {
            Ok(facts) => Some(facts),
            Err(trouble) => {
                troubles.push(trouble);
                None
            }
        };
        if let Err(trouble) = self.report(&object, facts.as_ref(), &troubles).await {
            troubles.push(trouble);
        }
        let soon = facts.and_then(|facts| facts.look_again);
        self.settle(&object, &troubles, soon.unwrap_or(RESYNC), started)
    }

    /// Nothing is remembered of the cluster, and its Rooms say that it is not there.
    async fn gone(&self, namespace: &str, name: &str) {
        self.sweep();
        let prefix = format!("{name}-");
        let names = |it: &str| it == name || it.starts_with(&prefix);
        let context = &self.context;
        context.writer.forget(namespace, names);
        for room in context.stores.of_cluster(Kind::Room, namespace, name) {
            let room = reference(Kind::Room, room.namespace(), room.name());
            // Fails only when the operator ends.
            let _ = context.queues.rooms.send(room).await;
        }
    }
}
