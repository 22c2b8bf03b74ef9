//! What a fleet is like.

use std::time::Duration;

use sluice_contract::WireVersion;
use sluice_crds::cluster::{PolicyInForce, RolloutProgress};

use super::{
    counts::Counted,
    inventory::Inventory,
    moves::{Moves, revisions},
    pods,
};
use crate::{
    Kind,
    backbone::Delivery,
    fleet::{Phase, RevisionSeen},
    plan::{
        Cluster, majority,
        names::{COMPONENT, GATEWAY, NATS, Names},
    },
    reason,
    trouble::Trouble,
};

/// How soon gateways are asked again that have not taken the newest documents.
const TAKING: Duration = Duration::from_millis(500);

/// How soon gateways are asked again that cannot store anything yet.
const STORING: Duration = Duration::from_secs(1);

/// How soon NATS is tried again that cannot be reached.
const REACHING: Duration = Duration::from_secs(5);

/// What a fleet is like: what its status is made from.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The wanted revision.
    pub(super) revision: String,
    /// How many gateways of it are wanted.
    pub(super) wanted: u32,
    /// Every revision that there is.
    pub(super) revisions: Vec<RevisionSeen>,
    /// How many gateways run, of all revisions.
    pub(super) running: u32,
    /// By what gateways are selected.
    pub(super) selector: String,
    /// How the backbone is.
    pub(super) backbone: Backbone,
    /// How many connections there are.
    pub(super) connections: Option<i64>,
    /// What the fleet is about.
    pub(super) phase: Phase,
    /// The phase in sentences for people.
    pub(super) message: String,
    /// How far a rollout is.
    pub(super) rollout: Option<RolloutProgress>,
    /// When to look at the gateways again.
    pub(super) look_again: Option<Duration>,
    /// What gateways work by.
    pub(super) policy: Option<PolicyInForce>,
    /// The wire version that the bucket says is finalised; `None` where that is not known.
    pub(super) finalised: Option<WireVersion>,
    /// Whether some gateway of a fleet that is not Ready has still to take the documents.
    pub(super) taking: bool,
}

/// How the backbone is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backbone {
    pub(super) ready: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Facts {
    pub(super) fn new(inventory: &Inventory, cluster: &Cluster, moves: &Moves) -> Self {
        let decision = &moves.decision;
        Self {
            wanted: decision.desired_replicas,
            revision: moves.observed.revision.clone(),
            backbone: backbone(inventory, cluster),
            connections: moves.connections(),
            rollout: decision.progress.clone(),
            phase: decision.phase,
            message: decision.message.clone(),
            ..Self::of_what_runs(inventory)
        }
    }

    /// What can be said of a fleet whose spec cannot be used.
    pub(super) fn of_what_runs(inventory: &Inventory) -> Self {
        let gateways = inventory
            .pods
            .iter()
            .filter(|pod| pod.label(COMPONENT) == Some(GATEWAY));
        Self {
            running: gateways.filter(|pod| pods::runs(pod)).count() as u32,
            revisions: revisions(inventory),
            selector: Names(inventory.object.name()).gateway_selector(),
            ..Self::default()
        }
    }

    /// How many gateways of the wanted revision are ready.
    pub(super) fn ready(&self) -> u32 {
        let wanted = self.revisions.iter().find(|it| it.name == self.revision);
        wanted.map_or(0, |it| it.ready)
    }

    /// Whether there are gateways of other revisions.
    pub(super) fn others(&self) -> bool {
        self.revisions.iter().any(|it| it.name != self.revision)
    }

    /// Has the fleet looked at after this time, if not sooner.
    fn look_again_within(&mut self, time: Duration) {
        self.look_again = Some(self.look_again.map_or(time, |again| again.min(time)));
    }

    /// Takes over what became of the documents. A fleet that is Ready stays so while later ones
    /// reach it: Rooms say how far those are.
    pub(super) fn delivered(&mut self, delivery: &Delivery, is_ready: bool) {
        self.policy = Some(PolicyInForce {
            digest: delivery.digest.clone(),
            revision: delivery
                .revision
                .and_then(|revision| i64::try_from(revision).ok()),
        });
        if delivery.is_being_taken() {
            self.look_again_within(TAKING);
            self.taking = !is_ready;
        }
        if let (true, Some(trouble)) = (self.backbone.ready, &delivery.unreachable) {
            self.look_again_within(REACHING);
            self.backbone = Backbone {
                ready: false,
                reason: "Unreachable",
                message: trouble.clone(),
            };
        }
    }

    /// Takes over what gateways say of the backbone: that its servers run is not all that it takes.
    /// Of servers, watching tells.
    pub(super) fn counted(&mut self, counted: &Counted) {
        if self.backbone.ready && counted.stores == Some(false) {
            self.look_again_within(STORING);
            let message = "No gateway can store messages of rooms with history yet: their stream is not there, or has no leader. If this stays, look at the NATS servers, and at what the gateways log of the streams.";
            self.backbone = Backbone {
                ready: false,
                reason: reason::STARTING,
                message: message.to_owned(),
            };
        }
    }

    /// What keeps pods from running.
    pub(super) fn troubles(inventory: &Inventory) -> Vec<Trouble> {
        let mut found: Vec<Trouble> = Vec::new();
        let made = [Kind::Deployment, Kind::StatefulSet]
            .into_iter()
            .flat_map(|kind| {
                inventory
                    .owned(kind)
                    .filter_map(move |it| pods::not_made(kind.name(), it))
            });
        for trouble in made.chain(inventory.pods.iter().filter_map(|pod| pods::trouble(pod))) {
            // Of troubles with the same reason, the first one says enough.
            if found.iter().all(|known| known.reason != trouble.reason) {
                found.push(trouble);
            }
        }
        found
    }
}

fn backbone(inventory: &Inventory, cluster: &Cluster) -> Backbone {
    let ready = |reason, message: &str| Backbone {
        ready: true,
        reason,
        message: message.to_owned(),
    };
    let Some(nats) = cluster.nats() else {
        return ready("Memory", "The one gateway is its own backbone.");
    };
    let Some(managed) = &nats.managed else {
        return ready("Connected", "NATS can be reached.");
    };
    let servers = inventory
        .pods
        .iter()
        .filter(|pod| pod.label(COMPONENT) == Some(NATS));
    let running = servers.filter(|pod| pods::is_ready(pod)).count() as u32;
    let message = format!("{running} of {} NATS servers are ready.", managed.replicas);
    match running {
        running if running >= majority(managed.replicas) => ready("Connected", &message),
        _ => Backbone {
            ready: false,
            reason: reason::STARTING,
            message,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LATER: Duration = Duration::from_mins(1);

    fn facts(servers_are_ready: bool) -> Facts {
        Facts {
            backbone: Backbone {
                ready: servers_are_ready,
                ..Backbone::default()
            },
            look_again: Some(LATER),
            ..Facts::default()
        }
    }

    fn storing(stores: Option<bool>) -> Counted {
        Counted {
            stores,
            ..Counted::default()
        }
    }

    #[test]
    fn gateways_are_asked_soon_only_while_they_say_that_they_cannot_store() {
        let asked_again = |servers_are_ready, stores| {
            let mut facts = facts(servers_are_ready);
            facts.counted(&storing(stores));
            facts.look_again
        };
        assert_eq!(asked_again(true, Some(false)), Some(STORING));
        assert_eq!(asked_again(true, Some(true)), Some(LATER));
        assert_eq!(asked_again(true, None), Some(LATER));
        // Servers that are not ready are waited for by watching.
        assert_eq!(asked_again(false, Some(false)), Some(LATER));
        assert_eq!(asked_again(false, None), Some(LATER));
    }

    #[test]
    fn servers_that_cannot_be_reached_are_tried_again_soon() {
        let mut facts = facts(true);
        let delivery = Delivery {
            unreachable: Some("nobody answers".to_owned()),
            ..Delivery::default()
        };
        facts.delivered(&delivery, false);
        assert_eq!(facts.look_again, Some(REACHING));
        assert_eq!(facts.backbone.reason, "Unreachable");
    }

    #[test]
    fn a_fleet_that_is_ready_does_not_wait_for_gateways_that_have_yet_to_take_documents() {
        let behind = json!({"name": "a", "number": "0000000a", "state": "serving", "policy": {"revision": 1}});
        let delivery = Delivery {
            revision: Some(2),
            gateways: vec![serde_json::from_value(behind).unwrap()],
            ..Delivery::default()
        };
        for is_ready in [false, true] {
            let mut facts = facts(true);
            facts.delivered(&delivery, is_ready);
            assert_eq!((facts.taking, facts.look_again), (!is_ready, Some(TAKING)));
        }
    }
}
