//! A Room's status, as a function of what was decided.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_crds::{RoomStatus, room::RoomAcceptance};

use super::Decided;
use crate::{
    Object,
    check::Verdict,
    conditions::{self, Stated},
    trouble::Trouble,
};

/// The status after `before`.
pub(super) fn status(
    before: &RoomStatus,
    room: &Object,
    decided: Option<&Decided>,
    now: Timestamp,
) -> RoomStatus {
    let verdict = decided.and_then(|decided| decided.checked.rooms.get(room.name()));
    let current = verdict.filter(|verdict| verdict.generation == room.generation());
    let (Some(decided), Some(verdict)) = (decided, current) else {
        return without(before, room, decided.is_some(), now);
    };
    let accepted = accepted(room.name(), decided);
    let stated = stated(verdict, room, decided);
    RoomStatus {
        observed_generation: Some(room.generation()),
        conditions: conditions::merge(&before.conditions, stated, room.generation(), now),
        accepted,
        ..before.clone()
    }
}

/// While its cluster is not there, or has not looked at it.
fn without(before: &RoomStatus, room: &Object, has_cluster: bool, now: Timestamp) -> RoomStatus {
    let stated = if has_cluster {
        vec![
            Stated::new(
                "Ready",
                false,
                "Pending",
                "The RealtimeCluster has not looked at it yet.",
            ),
            Stated::new(
                "Reconciling",
                true,
                "Pending",
                "The RealtimeCluster is about to look at it.",
            ),
            conditions::stalled(None),
        ]
    } else {
        let name = room.cluster_ref().unwrap_or_default();
        let message = format!(
            "there is no RealtimeCluster {name} in this Kubernetes namespace; create it, or delete this Room"
        );
        let trouble = Trouble::stalls("ClusterMissing", message);
        vec![
            Stated::new("Ready", false, trouble.reason, trouble.message.clone()),
            Stated::new(
                "Reconciling",
                false,
                "Stalled",
                "Nothing goes on until a person changes something.",
            ),
            conditions::stalled(Some(&trouble)),
        ]
    };
    RoomStatus {
        observed_generation: Some(room.generation()),
        conditions: conditions::merge(&before.conditions, stated, room.generation(), now),
        accepted: Vec::new(),
        ..before.clone()
    }
}

/// Which generation the gateways of each revision work by, of those that said so.
fn accepted(name: &str, decided: &Decided) -> Vec<RoomAcceptance> {
    let mut by_revision: BTreeMap<&str, (i64, i32)> = BTreeMap::new();
    for gateway in decided.given.iter().flat_map(|given| &given.gateways) {
        let (Some(revision), Some(generation)) = (
            decided.revisions.get(&gateway.name),
            generation(name, gateway.policy.revision, decided),
        ) else {
            continue;
        };
        let entry = by_revision.entry(revision).or_insert((generation, 0));
        entry.0 = entry.0.min(generation);
        entry.1 += 1;
    }
    let accepted = by_revision
        .into_iter()
        .map(|(revision, (generation, gateways))| RoomAcceptance {
            revision: revision.to_owned(),
            generation,
            gateways,
        });
    accepted.collect()
}

/// The generation of a Room in the documents of a revision.
fn generation(name: &str, revision: u64, decided: &Decided) -> Option<i64> {
    let rooms = decided.given.as_ref()?.rooms.get(&revision)?;
    rooms.get(name).copied()
}

fn stated(verdict: &Verdict, room: &Object, decided: &Decided) -> Vec<Stated> {
    let trouble = refused(verdict);
    if let Some(trouble) = &trouble {
        return vec![
            Stated::new("Ready", false, trouble.reason, trouble.message.clone()),
            Stated::new(
                "Reconciling",
                false,
                "Stalled",
                "Nothing goes on until a person changes something.",
            ),
            conditions::stalled(Some(trouble)),
        ];
    }
    let (ready, reason, mut message) = reach(room, decided);
    if !verdict.unknown.is_empty() {
        message = format!(
            "{message} This operator does not know {} and goes on without; upgrade it, or remove what it does not know.",
            verdict.unknown.join(", ")
        );
    }
    let reconciling = if ready {
        Stated::new("Reconciling", false, "Done", "The gateways work by it.")
    } else {
        Stated::new("Reconciling", true, reason, "The gateways are taking it.")
    };
    vec![
        Stated::new("Ready", ready, reason, message),
        reconciling,
        conditions::stalled(None),
    ]
}

fn refused(verdict: &Verdict) -> Option<Trouble> {
    let (reason, message) = verdict.refused.as_ref()?;
    let goes_on = match verdict.given {
        Some(given) => format!("; the gateways go on by generation {given}"),
        None => String::new(),
    };
    Some(Trouble::stalls(reason, format!("{message}{goes_on}")))
}

/// How far a Room has come.
fn reach(room: &Object, decided: &Decided) -> (bool, &'static str, String) {
    let Some(given) = &decided.given else {
        return (
            false,
            "Pending",
            "It has not been given to the gateways yet.".to_owned(),
        );
    };
    if let Some(trouble) = &given.trouble {
        return (false, trouble.reason, trouble.message.clone());
    }
    if given.pending {
        let message = "The NATS servers are not ready; gateways take it when they are.";
        return (false, "Pending", message.to_owned());
    }
    if let Some((name, refused)) = given.refusal() {
        let message = format!("the gateway {name} refuses the documents: {refused}");
        return (false, "GatewayRefused", message);
    }
    let at = given.gateways.iter().filter(|gateway| {
        let has = generation(room.name(), gateway.policy.revision, decided);
        has.is_some_and(|has| has >= room.generation())
    });
    let at = at.count();
    let all = given.gateways.len();
    if at < all {
        let message = format!("{at} of {all} gateways work by it.");
        return (false, "Pending", message);
    }
    let message = match (decided.nats, all) {
        (false, _) => "It is in the documents of the gateway.".to_owned(),
        (true, 0) => "It is in the documents that gateways take when they start.".to_owned(),
        (true, all) => format!("All gateways ({all}) work by it."),
    };
    (true, "InForce", message)
}

#[cfg(test)]
mod tests;
