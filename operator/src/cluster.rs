//! From a `RealtimeCluster` to a fleet: read → check → plan → apply → status.

mod apply;
mod counts;
mod facts;
mod moves;
mod pods;
mod read;
mod status;

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::runtime::controller::Action;
use sluice_crds::RealtimeClusterStatus;

pub(crate) use self::{
    counts::{Count, Last as LastCount, Rooms},
    facts::Facts,
    read::Seen,
};
use crate::{
    Kind, Object,
    check::{self, Checked},
    context::Context,
    digest,
    lock::lock,
    plan::{self, Inputs},
    room,
    stores::reference,
    trouble::{Effect, Trouble},
};

/// How often a fleet that needs nothing is looked at all the same.
const RESYNC: Duration = Duration::from_mins(10);

/// How often one is looked at, at most, while something is in the way.
const SOON: Duration = Duration::from_secs(5);

/// How often one is looked at that waits for something outside of what is watched.
const WAITING: Duration = Duration::from_secs(10);

/// Has the fleet as its `RealtimeCluster` says. Whatever is in the way is in the status, and is
/// tried again.
pub(crate) async fn reconcile(
    object: Arc<Object>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    if object.is_deleted() {
        // What it owns goes with it.
        return Ok(Action::await_change());
    }
    let started = Instant::now();
    let mut troubles = Vec::new();
    let facts = match run(&object, &context, &mut troubles).await {
        Ok(facts) => Some(facts),
        Err(trouble) => {
            troubles.push(trouble);
            None
        }
    };
    if let Err(trouble) = report(&object, &context, facts.as_ref(), &troubles).await {
        troubles.push(trouble);
    }
    let soon = facts.and_then(|facts| facts.look_again);
    Ok(settle(
        &object,
        &context,
        &troubles,
        soon.unwrap_or(RESYNC),
        started,
    ))
}

/// All steps up to the status.
async fn run(
    object: &Arc<Object>,
    context: &Context,
    troubles: &mut Vec<Trouble>,
) -> Result<Facts, Trouble> {
    let seen = read::read(object, context).await?;
    let checked = checked(&seen, context);
    troubles.extend(checked.troubles.iter().cloned());
    let Some(cluster) = &checked.cluster else {
        room::decide(context, &seen, &checked, room::Told::default()).await;
        return Ok(Facts::of_what_runs(&seen));
    };
    let inputs = Inputs {
        cluster,
        documents: &checked.documents,
        keys: &seen.keys,
        images: &context.settings.images,
        apis: context.apis,
        operator_namespace: &context.settings.operator_namespace,
    };
    let moves = moves::decide(&seen, cluster, &plan::revision(&inputs), context).await;
    let mut facts = Facts::new(&seen, cluster, &moves);
    facts.look_again = Some(moves.look_again(cluster));
    troubles.extend(apply::apply(&seen, &inputs, &moves, context).await);
    troubles.extend(Facts::troubles(&seen));
    let given = context
        .backbones
        .give(&inputs, (&checked, &seen.secrets), &facts, &context.metrics)
        .await;
    facts.given(&given, pods::is_ready(object));
    let counted = counts::count(&seen, &moves, context).await;
    facts.counted(&counted);
    troubles.extend(given.trouble.clone());
    let told = room::Told {
        given: Some(&given),
        rooms: counted.rooms,
    };
    room::decide(context, &seen, &checked, told).await;
    Ok(facts)
}

/// What the check found, which is the same while what was checked is.
fn checked(seen: &Seen, context: &Context) -> Arc<Checked> {
    let uid = seen.object.uid().to_owned();
    let of = digest(&seen.asked_for());
    let known = lock(&context.checks).get(&uid).cloned();
    if let Some((before, checked)) = known
        && before == of
    {
        return checked;
    }
    let checked = Arc::new(check::check(&check::Asked {
        cluster: &seen.object,
        rooms: &seen.rooms,
        secrets: &seen.secrets,
        kept: &seen.documents,
    }));
    lock(&context.checks).insert(uid, (of, Arc::clone(&checked)));
    checked
}

/// Writes the status and tells people what is new in it.
async fn report(
    object: &Object,
    context: &Context,
    facts: Option<&Facts>,
    troubles: &[Trouble],
) -> Result<(), Trouble> {
    let before: RealtimeClusterStatus = object.read("status").unwrap_or_default();
    let now = jiff::Timestamp::now();
    let after = status::status(&before, object.generation(), facts, troubles, now);
    let value = serde_json::to_value(&after).unwrap_or_default();
    if context
        .writer
        .status(Kind::RealtimeCluster, object, &value)
        .await?
    {
        for news in status::news(&before, &after) {
            tracing::info!(cluster = %object.name(), namespace = %object.namespace(), reason = %news.reason, "{}", news.message);
            context.tell(Kind::RealtimeCluster, object, &news).await;
        }
    }
    Ok(())
}

/// When to look again.
fn settle(
    object: &Object,
    context: &Context,
    troubles: &[Trouble],
    soon: Duration,
    started: Instant,
) -> Action {
    let uid = object.uid();
    let worst = troubles.iter().max_by_key(|trouble| trouble.effect);
    let worst = worst.filter(|trouble| trouble.effect != Effect::Notes);
    let outcome = worst.map_or("ok", |trouble| trouble.reason);
    context
        .metrics
        .reconciled(Kind::RealtimeCluster, outcome, started.elapsed());
    let stalls = worst.is_some_and(|trouble| trouble.effect == Effect::Stalls);
    context.stalls(Kind::RealtimeCluster, uid, stalls);
    let Some(worst) = worst else {
        context.went_well(uid);
        return Action::requeue(soon.min(RESYNC).mul_f64(rand::random_range(0.8..1.2)));
    };
    tracing::debug!(cluster = %object.name(), namespace = %object.namespace(), trouble = %worst, "something is in the way");
    let pause = context
        .pause(uid)
        .max(if stalls { WAITING } else { Duration::ZERO });
    // Moves go on, whatever else is in the way.
    Action::requeue(if soon < RESYNC {
        pause.min(soon.max(SOON))
    } else {
        pause
    })
}

/// A `RealtimeCluster` is there no more: nothing is remembered of it, and its Rooms say that it is
/// not there.
pub(crate) async fn gone(namespace: &str, name: &str, context: &Context) {
    context.sweep();
    let prefix = format!("{name}-");
    let names = |it: &str| it == name || it.starts_with(&prefix);
    context.writer.forget(namespace, names);
    for room in context.stores.of_cluster(Kind::Room, namespace, name) {
        let room = reference(Kind::Room, room.namespace(), room.name());
        let _ = context.queues.rooms.send(room).await;
    }
}
