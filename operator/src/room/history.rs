//! What becomes of a Room's history when the Room goes.

use std::time::Duration;

use kube::runtime::controller::Action;
use serde_json::json;
use sluice_crds::{OnDelete, RoomSpec};
use sluice_policy::Pattern;

use super::{Findings, RoomReconciler};
use crate::{
    Kind, Object, backbone::Delivery, context::Context, events::News, reason, stores::Stores,
    trouble::Trouble,
};

/// Keeps a Room from going before its history has.
const FINALIZER: &str = "sluice.dev/history";

/// The annotation by which a Room goes at once, and leaves its history behind.
const SKIP: &str = "sluice.dev/skip-history";

/// How long a Room that is deleted waits for its history to go.
const DEADLINE: Duration = Duration::from_mins(2);

/// Has the Room stay until its history is gone, if that is to go and would stay otherwise.
pub(super) async fn hold(
    room: &Object,
    findings: &Findings,
    context: &Context,
) -> Result<(), Trouble> {
    let wanted = findings.nats && drops(room);
    let finalizers = finalizers(room);
    let held = finalizers.iter().any(|it| it == FINALIZER);
    match (wanted, held) {
        (true, false) => {
            let all: Vec<_> = finalizers
                .into_iter()
                .chain([FINALIZER.to_owned()])
                .collect();
            set(room, all, context).await
        }
        (false, true) => release(room, context).await,
        _ => Ok(()),
    }
}

fn drops(room: &Object) -> bool {
    let spec: Option<RoomSpec> = room.read("spec");
    let history = spec.and_then(|spec| spec.history);
    history.is_some_and(|history| history.on_delete == OnDelete::Drop)
}

fn finalizers(room: &Object) -> Vec<String> {
    room.metadata.finalizers.clone().unwrap_or_default()
}

/// The version makes sure that nobody else's is lost.
async fn set(room: &Object, finalizers: Vec<String>, context: &Context) -> Result<(), Trouble> {
    let fields = json!({"metadata": {
        "finalizers": finalizers,
        "resourceVersion": room.metadata.resource_version,
    }});
    context
        .writer
        .change(Kind::Room, room.namespace(), room.name(), &fields)
        .await
}

async fn release(room: &Object, context: &Context) -> Result<(), Trouble> {
    let others = finalizers(room).into_iter().filter(|it| it != FINALIZER);
    set(room, others.collect(), context).await
}

/// Lets a Room go that is being deleted, after its history.
pub(super) async fn leave(room: &Object, reconciler: &RoomReconciler) -> Result<Action, Trouble> {
    reconciler.stalled.set(room.uid(), false);
    if !finalizers(room).iter().any(|it| it == FINALIZER) {
        return Ok(Action::await_change());
    }
    if room.annotation(SKIP).is_none()
        && drops(room)
        && let Err(trouble) = drop_history(room, reconciler).await
    {
        if !is_overdue(room) {
            return Err(trouble);
        }
        let message = format!(
            "The Room goes without its history, which could not be deleted in {} seconds ({}); it goes when it is beyond its bounds, or delete it from the stream.",
            DEADLINE.as_secs(),
            trouble.message
        );
        let news = News {
            bad: true,
            reason: "HistoryLeft".to_owned(),
            message,
        };
        let events = &reconciler.context.events;
        events.tell(Kind::Room, room, &news).await;
    }
    release(room, &reconciler.context).await?;
    Ok(Action::await_change())
}

fn is_overdue(room: &Object) -> bool {
    let deleted = room.metadata.deletion_timestamp.as_ref();
    deleted.is_some_and(|at| jiff::Timestamp::now().duration_since(at.0).unsigned_abs() >= DEADLINE)
}

/// Deletes the messages of all rooms that the Room decided for. Nothing is to be done where its
/// cluster is gone: then its streams are somebody else's to delete.
async fn drop_history(room: &Object, reconciler: &RoomReconciler) -> Result<(), Trouble> {
    let Some(cluster) = reconciler.cluster(room) else {
        return Ok(());
    };
    let waits = |message: &str| Trouble::waits(reason::HISTORY_WAITS, message);
    let findings = reconciler.findings.get(cluster.uid());
    let findings = findings.ok_or_else(|| waits("the RealtimeCluster was not looked at yet"))?;
    if !findings.nats {
        return Ok(());
    }
    let delivery = findings.delivery.as_ref();
    let everywhere = delivery.is_some_and(Delivery::is_everywhere);
    if findings.checked.rooms.contains_key(room.name()) || !everywhere {
        return Err(waits("gateways still work by it"));
    }
    let Some(connection) = reconciler.context.backbones.connection(cluster.uid()) else {
        return Err(waits("the NATS servers cannot be reached"));
    };
    let Some(spec) = room.read::<RoomSpec>("spec") else {
        return Ok(());
    };
    let patterns = others(room, &cluster, &spec, &reconciler.context.stores);
    let own = Pattern::new(&spec.match_);
    let is_own = |name: &str| {
        own.matches(name)
            && patterns
                .iter()
                .all(|other| !other.matches(name) || own.specificity(other).is_lt())
    };
    let purged = connection.purge(&spec.namespace, is_own).await;
    let purged =
        purged.map_err(|error| Trouble::waits(reason::HISTORY_WAITS, error.to_string()))?;
    tracing::info!(room = %room.name(), namespace = %room.namespace(), rooms = purged, "the history of a deleted Room is gone");
    Ok(())
}

/// The patterns of the cluster's other Rooms in the same namespace.
fn others(room: &Object, cluster: &Object, spec: &RoomSpec, stores: &Stores) -> Vec<Pattern> {
    let rooms = stores.of_cluster(Kind::Room, cluster.namespace(), cluster.name());
    let others = rooms
        .iter()
        .filter(|other| other.uid() != room.uid() && !other.is_deleted());
    let specs = others.filter_map(|other| other.read::<RoomSpec>("spec"));
    let same = specs.filter(|other| other.namespace == spec.namespace);
    same.map(|other| Pattern::new(&other.match_)).collect()
}
