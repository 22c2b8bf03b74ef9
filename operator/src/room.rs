//! From a `Room` to what gateways work by. What goes to the gateways is decided for all Rooms of a
//! cluster together ([`crate::cluster`]); here a Room's status says what became of it, and its
//! history goes when it does.

mod history;
mod status;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::runtime::controller::Action;
use serde_json::json;
use sluice_crds::RoomStatus;

use crate::{
    Kind, Object,
    backbone::Given,
    check::Checked,
    cluster::{Count, Rooms, Seen},
    context::Context,
    lock::lock,
    plan::names::REVISION,
    stores::reference,
    trouble::Trouble,
};

/// How often a Room is looked at whose cluster is not there.
const RESYNC: Duration = Duration::from_mins(10);

/// What was decided about the Rooms of a cluster.
#[derive(Debug)]
pub(crate) struct Decided {
    /// What was found when they were checked.
    checked: Arc<Checked>,
    /// How the documents came to the gateways; `None` if they were not given.
    given: Option<Given>,
    /// Whether what is kept outlives the gateways.
    nats: bool,
    /// The revision of each gateway, by its pod's name.
    revisions: BTreeMap<String, String>,
    /// What goes on in the rooms, once that is known.
    counts: Option<Arc<Rooms>>,
}

/// What is known of how the gateways took the Rooms, and of what goes on in them.
#[derive(Default)]
pub(crate) struct Told<'a> {
    /// How the documents came to the gateways; `None` if they were not given.
    pub(crate) given: Option<&'a Given>,
    /// What goes on in the rooms, once that is known.
    pub(crate) rooms: Option<Arc<Rooms>>,
}

impl Decided {
    /// What goes on in the rooms that a Room is for, if that is known.
    fn count(&self, room: &str) -> Option<Count> {
        let counts = self.counts.as_ref()?;
        let nothing = Count {
            members: 0,
            rate: Some(0),
        };
        Some(counts.get(room).copied().unwrap_or(nothing))
    }

    fn same(&self, other: &Self) -> bool {
        let told = |it: &Self| {
            let given = it.given.as_ref()?;
            let policies: Vec<_> = given
                .gateways
                .iter()
                .map(|gateway| (gateway.name.clone(), gateway.policy.clone()))
                .collect();
            let troubles = (given.pending, given.trouble.clone());
            Some((given.revision, given.digest.clone(), troubles, policies))
        };
        Arc::ptr_eq(&self.checked, &other.checked)
            && self.revisions == other.revisions
            && told(self) == told(other)
    }
}

/// Notes what was decided about a cluster's Rooms, and has their status follow if that is new.
pub(crate) async fn decide(context: &Context, seen: &Seen, checked: &Arc<Checked>, told: Told<'_>) {
    let gateways = seen.pods.iter().filter_map(|pod| {
        let revision = pod.label(REVISION)?;
        Some((pod.name().to_owned(), revision.to_owned()))
    });
    let decided = Arc::new(Decided {
        checked: Arc::clone(checked),
        given: told.given.cloned(),
        nats: checked
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.nats().is_some()),
        revisions: gateways.collect(),
        counts: told.rooms,
    });
    let before = {
        let mut all = lock(&context.decided);
        all.insert(seen.object.uid().to_owned(), Arc::clone(&decided))
    };
    let same = before.filter(|before| before.same(&decided));
    for room in &seen.rooms {
        let counted = |it: &Decided| it.count(room.name());
        if same
            .as_deref()
            .is_some_and(|before| counted(before) == counted(&decided))
        {
            continue;
        }
        let room = reference(Kind::Room, room.namespace(), room.name());
        let _ = context.queues.rooms.send(room).await;
    }
}

/// Has a Room's status say what became of it, and its history go with it.
pub(crate) async fn reconcile(
    room: Arc<Object>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let started = Instant::now();
    let done = if room.is_deleted() {
        history::leave(&room, &context).await
    } else {
        stay(&room, &context).await
    };
    let outcome = done.as_ref().err().map_or("ok", |trouble| trouble.reason);
    context
        .metrics
        .reconciled(Kind::Room, outcome, started.elapsed());
    Ok(match done {
        Ok(action) => {
            context.went_well(room.uid());
            action
        }
        Err(trouble) => {
            tracing::debug!(room = %room.name(), namespace = %room.namespace(), %trouble, "something is in the way");
            Action::requeue(context.pause(room.uid()))
        }
    })
}

async fn stay(room: &Object, context: &Context) -> Result<Action, Trouble> {
    let before: RoomStatus = room.read("status").unwrap_or_default();
    let cluster = cluster(room, context);
    let decided = cluster
        .as_ref()
        .and_then(|cluster| decided(cluster, context));
    if let Some(decided) = &decided {
        history::hold(room, decided, context).await?;
    } else if cluster.is_some() {
        // It is looked at again when its cluster was.
        return Ok(Action::requeue(RESYNC));
    }
    let now = jiff::Timestamp::now();
    let after = status::status(&before, room, decided.as_deref(), now);
    let stalled = after
        .conditions
        .iter()
        .any(|it| it.type_ == "Stalled" && it.status == "True");
    context.stalls(Kind::Room, room.uid(), stalled);
    let value = json!(after);
    if context.writer.status(Kind::Room, room, &value).await? {
        for news in crate::conditions::news(&before.conditions, &after.conditions) {
            context.tell(Kind::Room, room, &news).await;
        }
    }
    Ok(Action::requeue(
        RESYNC.mul_f64(rand::random_range(1.0..2.0)),
    ))
}

/// The cluster of a Room, if it is there and stays.
fn cluster(room: &Object, context: &Context) -> Option<Arc<Object>> {
    let name = room.cluster_ref()?;
    let cluster = context
        .stores
        .get(Kind::RealtimeCluster, room.namespace(), name)?;
    (!cluster.is_deleted()).then_some(cluster)
}

fn decided(cluster: &Object, context: &Context) -> Option<Arc<Decided>> {
    let all = lock(&context.decided);
    all.get(cluster.uid()).cloned()
}
