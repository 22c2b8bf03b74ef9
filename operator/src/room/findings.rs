//! What a look at a cluster finds about its Rooms.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use sluice_util::lock;
use tokio::sync::mpsc;

use crate::{
    Kind, Object,
    backbone::Delivery,
    check::Checked,
    plan::names::REVISION,
    stores::{Changed, reference},
};

/// What goes on in the rooms that one Room is for, at all gateways together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Their members.
    pub(crate) members: i64,
    /// The messages published to them in a second; `None` where they were counted only once.
    pub(crate) rate: Option<i64>,
}

/// What goes on by Room. In the rooms of one that is not here, nothing does.
pub(crate) type Activities = BTreeMap<String, Activity>;

/// What was found about the Rooms of a cluster.
#[derive(Debug)]
pub(crate) struct Findings {
    /// What was found when they were checked.
    pub(crate) checked: Arc<Checked>,
    /// How the documents came to the gateways; `None` if they were not given.
    pub(crate) delivery: Option<Delivery>,
    /// Whether what is stored outlives the gateways.
    pub(crate) nats: bool,
    /// The revision of each gateway, by its pod's name.
    pub(crate) revisions: BTreeMap<String, String>,
    /// What goes on in the rooms, once that is known.
    pub(crate) activities: Option<Arc<Activities>>,
}

impl Findings {
    /// What the check of a cluster says of its Rooms, before anything was given to its gateways,
    /// which are among these pods.
    pub(crate) fn new(checked: &Arc<Checked>, pods: &[Arc<Object>]) -> Self {
        let gateways = pods.iter().filter_map(|pod| {
            let revision = pod.label(REVISION)?;
            Some((pod.name().to_owned(), revision.to_owned()))
        });
        let cluster = checked.cluster.as_ref();
        Self {
            checked: Arc::clone(checked),
            delivery: None,
            nats: cluster.is_some_and(|cluster| cluster.nats().is_some()),
            revisions: gateways.collect(),
            activities: None,
        }
    }

    /// What goes on in the rooms that a Room is for, if that is known.
    pub(super) fn activity(&self, room: &str) -> Option<Activity> {
        let activities = self.activities.as_ref()?;
        let nothing = Activity {
            members: 0,
            rate: Some(0),
        };
        Some(activities.get(room).copied().unwrap_or(nothing))
    }

    /// Whether they say the same of every Room, but for what goes on in its rooms.
    fn same(&self, other: &Self) -> bool {
        let delivered = |it: &Self| {
            let delivery = it.delivery.as_ref()?;
            let policies: Vec<_> = delivery
                .gateways
                .iter()
                .map(|gateway| (gateway.name.clone(), gateway.policy.clone()))
                .collect();
            let troubles = (delivery.pending, delivery.trouble.clone());
            Some((
                delivery.revision,
                delivery.digest.clone(),
                troubles,
                policies,
            ))
        };
        Arc::ptr_eq(&self.checked, &other.checked)
            && self.revisions == other.revisions
            && delivered(self) == delivered(other)
    }
}

/// What was found last, by the clusters' identities.
#[derive(Default)]
pub(crate) struct FindingsByCluster(Mutex<HashMap<String, Arc<Findings>>>);

impl FindingsByCluster {
    /// What was found last about the Rooms of a cluster; `None` where it was not looked at yet.
    pub(super) fn get(&self, cluster: &str) -> Option<Arc<Findings>> {
        lock(&self.0).get(cluster).cloned()
    }

    /// Notes what was found about these Rooms of a cluster, and puts those into the queue of which
    /// something else is said than before.
    pub(crate) async fn note(
        &self,
        cluster: &str,
        rooms: &[Arc<Object>],
        findings: Findings,
        queue: &mpsc::Sender<Changed>,
    ) {
        let findings = Arc::new(findings);
        let before = lock(&self.0).insert(cluster.to_owned(), Arc::clone(&findings));
        let same = before.filter(|before| before.same(&findings));
        for room in rooms {
            let known = same.as_ref().is_some_and(|before| {
                before.activity(room.name()) == findings.activity(room.name())
            });
            if !known {
                let room = reference(Kind::Room, room.namespace(), room.name());
                // Fails only when the operator ends.
                let _ = queue.send(room).await;
            }
        }
    }

    /// Forgets the clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        lock(&self.0).retain(|uid, _| is_there(uid));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str) -> Arc<Object> {
        let object = json!({"metadata": {"name": name, "namespace": "a", "uid": name}});
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn busy(checked: &Arc<Checked>, members: i64) -> Findings {
        let activity = Activity {
            members,
            rate: Some(1),
        };
        let busy = BTreeMap::from([("busy".to_owned(), activity)]);
        Findings {
            activities: Some(Arc::new(busy)),
            ..Findings::new(checked, &[])
        }
    }

    #[tokio::test]
    async fn only_rooms_of_which_something_else_is_said_are_looked_at_again() {
        let rooms = ["busy", "quiet"].map(object);
        let (queue, mut changes) = mpsc::channel(8);
        let mut told = || {
            let changes = std::iter::from_fn(|| changes.try_recv().ok());
            changes.map(|room: Changed| room.name).collect::<Vec<_>>()
        };
        let all = FindingsByCluster::default();
        let checked = Arc::new(Checked::default());
        all.note("uid", &rooms, busy(&checked, 1), &queue).await;
        assert_eq!(told(), ["busy", "quiet"]);
        all.note("uid", &rooms, busy(&checked, 1), &queue).await;
        assert!(told().is_empty());
        all.note("uid", &rooms, busy(&checked, 2), &queue).await;
        assert_eq!(told(), ["busy"]);
        // Another check may have found something else about any Room.
        let checked = Arc::new(Checked::default());
        all.note("uid", &rooms, busy(&checked, 2), &queue).await;
        assert_eq!(told(), ["busy", "quiet"]);
    }

    #[tokio::test]
    async fn a_cluster_that_is_gone_is_forgotten() {
        let (queue, _changes) = mpsc::channel(8);
        let all = FindingsByCluster::default();
        let checked = Arc::new(Checked::default());
        all.note("uid", &[], busy(&checked, 1), &queue).await;
        assert!(all.get("uid").is_some());
        all.keep(|_| false);
        assert!(all.get("uid").is_none());
    }
}
