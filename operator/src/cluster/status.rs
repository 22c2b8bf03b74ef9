//! The status, as a function of what was found.

use jiff::Timestamp;
use sluice_crds::{
    RealtimeClusterStatus,
    cluster::{ChangeClass, LastChange},
};

use super::facts::Facts;
use crate::{
    conditions::{self, Statement},
    events::News,
    fleet::Phase,
    reason,
    steady::steady,
    trouble::{Effect, Trouble},
};

/// The part by which the number of connections must change to be written: it changes all the
/// time.
const NOTABLE: f64 = 0.02;

/// The status after `before`. Without facts it says only what is in the way.
pub(super) fn status(
    before: &RealtimeClusterStatus,
    generation: i64,
    facts: Option<&Facts>,
    troubles: &[Trouble],
    now: Timestamp,
) -> RealtimeClusterStatus {
    let stated = stated(before, facts, troubles);
    let conditions = conditions::merge(&before.conditions, stated, generation, now);
    let Some(facts) = facts else {
        return RealtimeClusterStatus {
            conditions,
            ..before.clone()
        };
    };
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let revision = some(&facts.revision).or_else(|| before.revision.clone());
    RealtimeClusterStatus {
        observed_generation: Some(generation),
        conditions,
        last_change: change(before, generation, revision.as_deref()),
        revision,
        replicas: i32::try_from(facts.running).ok(),
        selector: some(&facts.selector),
        connections: steady(before.connections, facts.connections, NOTABLE),
        desired_replicas: i32::try_from(facts.wanted).ok(),
        rollout: facts.rollout.clone(),
        policy: facts.policy.clone().or_else(|| before.policy.clone()),
        wire_version: facts
            .finalised
            .map(|version| version.0)
            .max(before.wire_version),
    }
}

/// What a new generation asked of the gateways.
fn change(
    before: &RealtimeClusterStatus,
    generation: i64,
    revision: Option<&str>,
) -> Option<LastChange> {
    let (Some(seen), Some(earlier)) = (before.observed_generation, &before.revision) else {
        return None;
    };
    if seen == generation && before.revision.as_deref() == revision {
        return before.last_change.clone();
    }
    let class = if Some(earlier.as_str()) == revision {
        ChangeClass::Hot
    } else {
        ChangeClass::Restart
    };
    Some(LastChange { generation, class })
}

fn stated(
    before: &RealtimeClusterStatus,
    facts: Option<&Facts>,
    troubles: &[Trouble],
) -> Vec<Statement> {
    let stalled = troubles
        .iter()
        .find(|trouble| trouble.effect == Effect::Stalls);
    let blocked = stalled.or_else(|| {
        troubles
            .iter()
            .find(|trouble| trouble.effect == Effect::Waits)
    });
    let mut stated = vec![
        ready(facts, blocked),
        reconciling(facts, blocked, stalled.is_some()),
        conditions::stalled(stalled),
        accepted(troubles),
    ];
    // Of what cannot be known now, the last that was known stays.
    let keep = |of: &str| {
        before
            .conditions
            .iter()
            .find(|it| it.type_ == of)
            .map(Statement::again)
    };
    match facts {
        Some(facts) if !facts.backbone.reason.is_empty() => {
            stated.push(backbone(facts));
            stated.push(draining(facts));
        }
        _ => stated.extend(["BackboneReady", "Draining"].into_iter().filter_map(keep)),
    }
    stated
}

/// What is said while gateways take the first documents.
const TAKING: &str =
    "Gateways are taking over the documents. If this stays, look at what they log of the policy.";

fn ready(facts: Option<&Facts>, blocked: Option<&Trouble>) -> Statement {
    if let Some(trouble) = blocked {
        return Statement::new("Ready", false, trouble.reason, trouble.message.clone());
    }
    let Some(facts) = facts else {
        return Statement::new(
            "Ready",
            false,
            "Unknown",
            "Nothing is known of the fleet yet.",
        );
    };
    if !facts.backbone.ready {
        let Statement {
            reason, message, ..
        } = backbone(facts);
        return Statement::new("Ready", false, &format!("Backbone{reason}"), message);
    }
    if facts.taking {
        return Statement::new("Ready", false, reason::STARTING, TAKING);
    }
    let (ready, wanted) = (facts.ready(), facts.wanted);
    let message = format!(
        "{ready} of {wanted} gateways of the revision {} are ready.",
        facts.revision
    );
    let reason = if ready >= wanted {
        reason::SERVING
    } else if facts.others() {
        reason::ROLLING_OUT
    } else {
        reason::STARTING
    };
    Statement::new("Ready", ready >= wanted, reason, message)
}

fn reconciling(facts: Option<&Facts>, blocked: Option<&Trouble>, stalls: bool) -> Statement {
    let going = |reason: &str, message: &str| Statement::new("Reconciling", true, reason, message);
    let still = |reason: &str, message: &str| Statement::new("Reconciling", false, reason, message);
    if stalls {
        return still(
            "Stalled",
            "Nothing goes on until a person changes something.",
        );
    }
    if let Some(trouble) = blocked {
        return going(
            trouble.reason,
            "Something is in the way; it is tried again.",
        );
    }
    match facts {
        None => going(reason::READING, "The fleet is being looked at."),
        Some(facts) if !facts.backbone.ready => {
            going(reason::BACKBONE_STARTING, &facts.backbone.message)
        }
        Some(facts) if facts.taking => going(reason::STARTING, TAKING),
        Some(facts) => match facts.phase {
            Phase::Steady => still("Done", "The fleet is as the spec says."),
            // Who has paused a rollout waits for nothing.
            Phase::Paused => still(facts.phase.reason(), &facts.message),
            phase => going(phase.reason(), &facts.message),
        },
    }
}

/// Whether the spec can be used as it is.
fn accepted(troubles: &[Trouble]) -> Statement {
    let about = |trouble: &&Trouble| {
        matches!(
            trouble.reason,
            reason::INVALID_SPEC
                | reason::SECRET_MISSING
                | reason::UNKNOWN_FIELDS
                | reason::UNDELIVERABLE
        )
    };
    match troubles
        .iter()
        .filter(about)
        .max_by_key(|trouble| trouble.effect)
    {
        Some(trouble) => Statement::new("Accepted", false, trouble.reason, trouble.message.clone()),
        None => Statement::new("Accepted", true, "Valid", "The spec is used as it is."),
    }
}

fn backbone(facts: &Facts) -> Statement {
    let backbone = &facts.backbone;
    Statement::new(
        "BackboneReady",
        backbone.ready,
        backbone.reason,
        backbone.message.clone(),
    )
}

fn draining(facts: &Facts) -> Statement {
    match facts.phase {
        Phase::Moving | Phase::LeavingNodes | Phase::ScalingDown | Phase::Rebalancing => {
            Statement::new(
                "Draining",
                true,
                facts.phase.reason(),
                facts.message.clone(),
            )
        }
        _ => Statement::new("Draining", false, "Idle", "No gateway is being drained."),
    }
}

/// What people are told: what is new in the status.
pub(super) fn news(before: &RealtimeClusterStatus, after: &RealtimeClusterStatus) -> Vec<News> {
    let mut news = conditions::news(&before.conditions, &after.conditions);
    if let (Some(change), true) = (&after.last_change, after.last_change != before.last_change) {
        let (reason, message) = match change.class {
            ChangeClass::Hot => (
                "HotChange",
                "The change takes effect at the gateways as they run; nobody is disconnected.",
            ),
            ChangeClass::Restart => (
                "RestartChange",
                "The change takes new gateways; connections are moved to them.",
            ),
        };
        news.push(News {
            bad: false,
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
    }
    news
}

#[cfg(test)]
mod tests;
