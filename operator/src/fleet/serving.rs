//! Which gateways the Service selects.

use super::{
    leaving::{Fleet, Gateway},
    rebalance::Rebalance,
    removal,
};

/// The pods whose label changes.
pub(super) fn of(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Vec<(String, bool)> {
    let steering = Steering::of(fleet, rebalance);
    let changed = fleet.gateways.iter().filter_map(|gateway| {
        let serving = if gateway.leaves.is_some() {
            serves_still(fleet, gateway)
        } else {
            serves(gateway, &steering)
        };
        (serving != gateway.pod.serving).then(|| (gateway.pod.name.clone(), serving))
    });
    changed.collect()
}

/// A gateway that leaves serves until enough of those that stay do, and again when none does.
fn serves_still(fleet: &Fleet<'_>, gateway: &Gateway<'_>) -> bool {
    if fleet.wanted == 0 {
        return false;
    }
    let served = fleet.served().count();
    match (gateway.pod.serving, served) {
        (serving, 0) => serving || !gateway.drains(),
        (true, served) => served < enough(fleet),
        (false, _) => false,
    }
}

/// How many gateways that stay take over the new connections: all that may run at first.
fn enough(fleet: &Fleet<'_>) -> usize {
    let room = removal::room(fleet).min(fleet.surge);
    room.max(1) as usize
}

/// A gateway that stays serves, unless it still drains or has more than its part already.
fn serves(gateway: &Gateway<'_>, steering: &Steering) -> bool {
    if gateway.drains() {
        return gateway.pod.serving;
    }
    !steering.is_full(gateway)
}

/// Keeps new connections from gateways that have their part, so that those that are moved spread
/// evenly and need not be moved again.
struct Steering {
    /// The connections beyond which a gateway has its part; none where nothing is steered.
    fair: Option<u64>,
}

/// The connections by which gateways may differ without more ado.
const SLACK: u64 = 100;

impl Steering {
    fn of(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Self {
        let moving = fleet.replaced().any(|gateway| !gateway.is_empty()) && fleet.can_take();
        let fair = if moving {
            fleet.connections().checked_div(fleet.wanted.into())
        } else {
            rebalance.mean()
        };
        let mut steering = Self { fair };
        // New connections must have somewhere to go at all times.
        if !fleet.served().any(|gateway| !steering.is_full(gateway)) {
            steering.fair = None;
        }
        steering
    }

    /// Whether it has its part: somewhat more than that where it serves, so that the label does
    /// not come and go.
    fn is_full(&self, gateway: &Gateway<'_>) -> bool {
        let Some(fair) = self.fair.filter(|_| gateway.is_open()) else {
            return false;
        };
        let slack = if gateway.pod.serving {
            SLACK.max(fair / 10)
        } else {
            0
        };
        gateway
            .pod
            .connections
            .is_some_and(|connections| connections > fair + slack)
    }
}
