//! From a `Room` to what gateways work by. What goes to the gateways is decided for all Rooms of a
//! cluster together, when the cluster is looked at; here a Room's status says what became of it,
//! and its history goes when it does.

mod findings;
mod history;
mod status;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kube::runtime::controller::Action;
use serde_json::json;
use sluice_crds::RoomStatus;

pub(crate) use self::findings::{Activities, Activity, Findings, FindingsByCluster};
use crate::{
    Kind, Object, conditions,
    context::Context,
    reconcile::{Reconciler, RetryTimes, Stalled, identities},
    trouble::Trouble,
};

/// How often a Room is looked at whose cluster is not there.
const RESYNC: Duration = Duration::from_mins(10);

/// Has the status of Rooms say what became of them, and their history go with them.
pub(crate) struct RoomReconciler {
    context: Arc<Context>,
    findings: Arc<FindingsByCluster>,
    retries: RetryTimes,
    stalled: Stalled,
}

impl RoomReconciler {
    /// A reconciler that has looked at no Room; what it says of them is in the findings.
    pub(crate) fn new(context: Arc<Context>, findings: Arc<FindingsByCluster>) -> Self {
        Self {
            stalled: Stalled::new(Kind::Room, context.metrics.clone()),
            context,
            findings,
            retries: RetryTimes::default(),
        }
    }

    async fn stay(&self, room: &Object) -> Result<Action, Trouble> {
        let before: RoomStatus = room.read("status").unwrap_or_default();
        let cluster = self.cluster(room);
        let findings = cluster
            .as_ref()
            .and_then(|cluster| self.findings.get(cluster.uid()));
        if let Some(findings) = &findings {
            history::hold(room, findings, &self.context).await?;
        } else if cluster.is_some() {
            // It is looked at again when its cluster was.
            return Ok(Action::requeue(RESYNC));
        }
        let now = jiff::Timestamp::now();
        let after = status::status(&before, room, findings.as_deref(), now);
        let stalled = after
            .conditions
            .iter()
            .any(|it| it.type_ == "Stalled" && it.status == "True");
        self.stalled.set(room.uid(), stalled);
        let value = json!(after);
        if self.context.writer.status(Kind::Room, room, &value).await? {
            for news in conditions::news(&before.conditions, &after.conditions) {
                self.context.events.tell(Kind::Room, room, &news).await;
            }
        }
        Ok(Action::requeue(
            RESYNC.mul_f64(rand::random_range(1.0..2.0)),
        ))
    }

    /// The cluster of a Room, if it is there and stays.
    fn cluster(&self, room: &Object) -> Option<Arc<Object>> {
        let name = room.cluster_ref()?;
        let stores = &self.context.stores;
        let cluster = stores.get(Kind::RealtimeCluster, room.namespace(), name)?;
        (!cluster.is_deleted()).then_some(cluster)
    }
}

impl Reconciler for RoomReconciler {
    const KIND: Kind = Kind::Room;

    async fn reconcile(&self, room: Arc<Object>) -> Action {
        let started = Instant::now();
        let done = if room.is_deleted() {
            history::leave(&room, self).await
        } else {
            self.stay(&room).await
        };
        let outcome = done.as_ref().err().map_or("ok", |trouble| trouble.reason);
        let metrics = &self.context.metrics;
        metrics.reconciled(Kind::Room, outcome, started.elapsed());
        match done {
            Ok(action) => {
                self.retries.went_well(room.uid());
                action
            }
            Err(trouble) => {
                tracing::debug!(room = %room.name(), namespace = %room.namespace(), %trouble, "something is in the way");
                Action::requeue(self.retries.pause(room.uid()))
            }
        }
    }

    async fn gone(&self, _namespace: &str, _name: &str) {
        let there = identities(&self.context.stores, Kind::Room);
        let is_there = |uid: &str| there.contains(uid);
        self.retries.keep(is_there);
        self.stalled.keep(is_there);
    }
}
