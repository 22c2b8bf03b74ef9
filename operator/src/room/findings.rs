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
