//! What a fleet is about, for people.

use std::time::Duration;

use super::{
    DrainReason, Phase, moving,
    rebalance::Rebalance,
    victims::{Fleet, Gateway},
    wire,
};

/// How long a gateway may take to become ready before people are told that it does not: what a
/// Deployment waits too.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often gateways are looked at while connections move.
const SOON: Duration = Duration::from_secs(1);

/// How often they are looked at while others are waited for.
const WAITING: Duration = Duration::from_secs(5);

/// How often they are looked at while nothing happens.
const IDLE: Duration = Duration::from_secs(10);

/// Where a fleet is, and when to look again.
pub(super) struct Outlook {
    pub(super) phase: Phase,
    pub(super) message: String,
    pub(super) look_again: Duration,
}

pub(super) fn of(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Outlook {
    let phase = phase(fleet, rebalance);
    Outlook {
        phase,
        message: message(fleet, phase) + &overdue(fleet),
        look_again: match phase {
            _ if wire::waits(fleet) => SOON,
            Phase::Steady => IDLE,
            Phase::Starting | Phase::Surging | Phase::Paused | Phase::Stuck => WAITING,
            Phase::Moving | Phase::LeavingNodes | Phase::ScalingDown | Phase::Rebalancing => SOON,
        },
    }
}

fn phase(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Phase {
    let leaves = |reason| {
        fleet
            .leaving()
            .any(|gateway| gateway.leaves == Some(reason))
    };
    let missing = fleet.open().count() < fleet.wanted as usize;
    if fleet.observed.paused
        && (fleet.revision != fleet.observed.revision || leaves(DrainReason::Rollout))
    {
        Phase::Paused
    } else if late(fleet).next().is_some() && missing {
        Phase::Stuck
    } else if leaves(DrainReason::Rollout) {
        let moves = fleet.can_take() && fleet.leaving().all(Gateway::is_out);
        if moves { Phase::Moving } else { Phase::Surging }
    } else if leaves(DrainReason::NodeDrain) {
        Phase::LeavingNodes
    } else if leaves(DrainReason::ScaleDown) {
        Phase::ScalingDown
    } else if missing {
        Phase::Starting
    } else if rebalance.is_active() {
        Phase::Rebalancing
    } else {
        Phase::Steady
    }
}

/// Gateways that should be ready by now.
fn late<'f>(fleet: &'f Fleet<'_>) -> impl Iterator<Item = &'f Gateway<'f>> {
    let now = fleet.observed.now;
    fleet.staying().filter(move |gateway| {
        let age = now.duration_since(gateway.pod.created);
        !gateway.pod.ready
            && !gateway.pod.gone
            && !gateway.drains()
            && age.is_positive()
            && age.unsigned_abs() >= PATIENCE
    })
}

/// A further sentence where a gateway that leaves has more connections than can be moved in time.
fn overdue(fleet: &Fleet<'_>) -> String {
    let most = moving::in_time(fleet);
    let late = fleet.leaving().filter(|gateway| !gateway.held);
    let mut late = late.filter(|gateway| gateway.pod.connections > Some(most));
    late.next().map_or_else(String::new, |gateway| {
        format!(
            " Gateway {} has more connections than can be moved before drain.deadline, and closes those that are left then at once; raise drain.deadline or drain.connectionsPerSecond.",
            gateway.pod.name
        )
    })
}

fn message(fleet: &Fleet<'_>, phase: Phase) -> String {
    let (wanted, revision) = (fleet.wanted, fleet.revision);
    let ready = fleet.open().count();
    let leaving = fleet.leaving().count();
    let there: usize = fleet.staying().count();
    match phase {
        Phase::Steady => format!("All {wanted} gateways of revision {revision} are ready."),
        Phase::Starting => format!("{ready} of {wanted} gateways are ready; the others start."),
        Phase::Surging => format!(
            "Gateways of revision {revision} start, and {ready} of {there} are ready; those of the old revision serve until then."
        ),
        Phase::Moving => format!(
            "New connections go to revision {revision}; those of {leaving} old gateways are moved as its gateways become ready ({ready} of {wanted})."
        ),
        Phase::Paused => format!(
            "The rollout to revision {} is paused; set rollout.paused to false to go on, or undo the change.",
            fleet.observed.revision
        ),
        Phase::Stuck => stuck(fleet),
        Phase::LeavingNodes => format!(
            "{leaving} gateways leave nodes that are cordoned, as others become ready in their place."
        ),
        Phase::ScalingDown => format!(
            "{leaving} gateways are too many; their connections are moved to the other {there}."
        ),
        Phase::Rebalancing => "Some connections are moved to gateways that have fewer.".to_owned(),
    }
}

fn stuck(fleet: &Fleet<'_>) -> String {
    let late: Vec<_> = late(fleet)
        .map(|gateway| gateway.pod.name.as_str())
        .collect();
    let (count, first) = (late.len(), late.first().copied().unwrap_or_default());
    let (gateways, have) = if count == 1 {
        ("gateway", "has")
    } else {
        ("gateways", "have")
    };
    let old = fleet.leaving().filter(|gateway| gateway.pod.ready).count();
    let serves = if old > 0 {
        format!("{old} gateways that were there before go on serving. ")
    } else {
        String::new()
    };
    format!(
        "{count} {gateways} of revision {} {have} not become ready for 10 minutes. {serves}Look why with kubectl describe pod {first} and kubectl logs {first}; mend the spec, or undo the change.",
        fleet.revision
    )
}
