//! A Room's status, as a function of what was found about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_crds::{RoomStatus, room::RoomAcceptance};

use super::Findings;
use crate::{
    Object,
    check::Verdict,
    conditions::{self, Statement},
    reason,
    steady::steady,
    trouble::Trouble,
};

/// The parts by which the number of members, and the rate, must change to be written.
const NOTABLE: (f64, f64) = (0.02, 0.1);

/// The status after `before`.
pub(super) fn status(
    before: &RoomStatus,
    room: &Object,
    findings: Option<&Findings>,
    now: Timestamp,
) -> RoomStatus {
    let verdict = findings.and_then(|findings| findings.checked.rooms.get(room.name()));
    let current = verdict.filter(|verdict| verdict.generation == room.generation());
    let (Some(findings), Some(verdict)) = (findings, current) else {
        return without(before, room, findings.is_some(), now);
    };
    let accepted = accepted(room.name(), findings);
    let activity = findings.activity(room.name());
    let stated = stated(verdict, room, findings);
    RoomStatus {
        observed_generation: Some(room.generation()),
        conditions: conditions::merge(&before.conditions, stated, room.generation(), now),
        accepted,
        members: steady(before.members, activity.map(|it| it.members), NOTABLE.0),
        rate: steady(before.rate, activity.and_then(|it| it.rate), NOTABLE.1),
    }
}

/// While its cluster is not there, or has not looked at it.
fn without(before: &RoomStatus, room: &Object, has_cluster: bool, now: Timestamp) -> RoomStatus {
    let stated = if has_cluster {
        vec![
            Statement::new(
                "Ready",
                false,
                reason::PENDING,
                "The RealtimeCluster has not looked at it yet.",
            ),
            Statement::new(
                "Reconciling",
                true,
                reason::PENDING,
                "The RealtimeCluster is about to look at it.",
            ),
            conditions::stalled(None),
        ]
    } else {
        let name = room.cluster_ref().unwrap_or_default();
        let message = format!(
            "there is no RealtimeCluster {name} in this Kubernetes namespace; create it, or delete this Room"
        );
        let trouble = Trouble::stalls(reason::CLUSTER_MISSING, message);
        vec![
            Statement::new("Ready", false, trouble.reason, trouble.message.clone()),
            Statement::new(
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
fn accepted(name: &str, findings: &Findings) -> Vec<RoomAcceptance> {
    let mut by_revision: BTreeMap<&str, (i64, i32)> = BTreeMap::new();
    for gateway in findings
        .delivery
        .iter()
        .flat_map(|delivery| &delivery.gateways)
    {
        let (Some(revision), Some(generation)) = (
            findings.revisions.get(&*gateway.name),
            generation(name, gateway.policy.revision, findings),
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
fn generation(name: &str, revision: u64, findings: &Findings) -> Option<i64> {
    let rooms = findings.delivery.as_ref()?.rooms.get(&revision)?;
    rooms.get(name).copied()
}

fn stated(verdict: &Verdict, room: &Object, findings: &Findings) -> Vec<Statement> {
    let trouble = refused(verdict);
    if let Some(trouble) = &trouble {
        return vec![
            Statement::new("Ready", false, trouble.reason, trouble.message.clone()),
            Statement::new(
                "Reconciling",
                false,
                "Stalled",
                "Nothing goes on until a person changes something.",
            ),
            conditions::stalled(Some(trouble)),
        ];
    }
    let (ready, reason, mut message) = reach(room, findings);
    if !verdict.unknown.is_empty() {
        message = format!(
            "{message} This operator does not know {} and goes on without; upgrade it, or remove what it does not know.",
            verdict.unknown.join(", ")
        );
    }
    let reconciling = if ready {
        Statement::new("Reconciling", false, "Done", "The gateways work by it.")
    } else {
        Statement::new("Reconciling", true, reason, "The gateways are taking it.")
    };
    vec![
        Statement::new("Ready", ready, reason, message),
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
fn reach(room: &Object, findings: &Findings) -> (bool, &'static str, String) {
    let Some(delivery) = &findings.delivery else {
        return (
            false,
            reason::PENDING,
            "It has not been given to the gateways yet.".to_owned(),
        );
    };
    if let Some(trouble) = &delivery.trouble {
        return (false, trouble.reason, trouble.message.clone());
    }
    if delivery.pending {
        let message = "The NATS servers are not ready; gateways take it when they are.";
        return (false, reason::PENDING, message.to_owned());
    }
    if let Some((name, refused)) = delivery.refusal() {
        let message = format!("the gateway {name} refuses the documents: {refused}");
        return (false, reason::GATEWAY_REFUSED, message);
    }
    let at = delivery.gateways.iter().filter(|gateway| {
        let has = generation(room.name(), gateway.policy.revision, findings);
        has.is_some_and(|has| has >= room.generation())
    });
    let at = at.count();
    let all = delivery.gateways.len();
    if at < all {
        let message = format!("{at} of {all} gateways work by it.");
        return (false, reason::PENDING, message);
    }
    let message = match (findings.nats, all) {
        (false, _) => "It is in the documents of the gateway.".to_owned(),
        (true, 0) => "It is in the documents that gateways take when they start.".to_owned(),
        (true, all) => format!("All gateways ({all}) work by it."),
    };
    (true, reason::IN_FORCE, message)
}

#[cfg(test)]
mod tests;
