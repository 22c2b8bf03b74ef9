//! Which gateways the Service selects.

use super::{
    rebalance::Rebalance,
    replicas,
    victims::{Fleet, Gateway},
};

/// The pods whose label changes.
pub(super) fn of(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Vec<(String, bool)> {
    let steering = Steering::of(fleet, rebalance);
    let taken_over = has_taken_over(fleet, &steering);
    let changed = fleet.gateways.iter().filter_map(|gateway| {
        let kept_off = gateway.pod.gone && is_served_otherwise(fleet);
        let serving = if gateway.barred || kept_off {
            false
        } else if gateway.leaves.is_some() {
            serves_still(fleet, gateway, taken_over)
        } else {
            serves(fleet, gateway, &steering)
        };
        (serving != gateway.pod.serving).then(|| (gateway.pod.name.clone(), serving))
    });
    changed.collect()
}

/// Whether new connections come to a gateway that takes them: where none does, it may be the way to
/// all of them that is closed.
fn is_served_otherwise(fleet: &Fleet<'_>) -> bool {
    let mut gateways = fleet.gateways.iter();
    gateways.any(|gateway| gateway.pod.serving && gateway.is_open())
}

/// A gateway that leaves serves until those that stay have taken over, and again when none of them
/// serves.
fn serves_still(fleet: &Fleet<'_>, gateway: &Gateway<'_>, taken_over: bool) -> bool {
    if fleet.can_take() {
        return gateway.pod.serving && !taken_over;
    }
    gateway.pod.serving || !gateway.drains()
}

/// Whether enough gateways that stay are ready for the new connections: all that may run at first.
/// And whether they get them, but for those that have their part already.
fn has_taken_over(fleet: &Fleet<'_>, steering: &Steering) -> bool {
    let enough = replicas::room(fleet).min(fleet.surge).max(1) as usize;
    let able = fleet
        .open()
        .filter(|gateway| serves(fleet, gateway, steering))
        .count();
    fleet.wanted == 0
        || fleet.open().count() >= enough && fleet.served().count() >= able.clamp(1, enough)
}

/// A gateway that stays serves, unless it still drains or has more than its part already. One of
/// which nothing is known may have been taken from the Service because it is gone.
fn serves(fleet: &Fleet<'_>, gateway: &Gateway<'_>, steering: &Steering) -> bool {
    let unsure = gateway.pod.unsure && gateway.pod.ready;
    if gateway.drains() || (unsure && is_served_otherwise(fleet)) {
        return gateway.pod.serving;
    }
    !steering.is_full(gateway)
}

/// Keeps new connections from gateways that have their part, so that those who are moved spread
/// evenly and need not be moved again.
struct Steering {
    /// The connections that a gateway should have, and how many more it may get; none where nothing
    /// is steered.
    part: Option<(u64, u64)>,
}

/// The connections by which gateways may differ without more ado.
const SLACK: u64 = 100;

impl Steering {
    fn of(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Self {
        let moving = fleet.replaced().any(|gateway| !gateway.is_empty()) && fleet.can_take();
        let part = if moving {
            part(fleet)
        } else {
            rebalance.part()
        };
        let steering = Self { part };
        // New connections must have somewhere to go at all times.
        if fleet.served().any(|gateway| !steering.is_full(gateway)) {
            return steering;
        }
        Self { part: None }
    }

    /// Whether it has its part. One that serves may get somewhat more, so that the label does not
    /// come and go.
    fn is_full(&self, gateway: &Gateway<'_>) -> bool {
        let Some((part, slack)) = self.part.filter(|_| gateway.is_open()) else {
            return false;
        };
        let most = if gateway.pod.serving {
            part + slack
        } else {
            part
        };
        gateway
            .pod
            .connections
            .is_some_and(|connections| connections > most)
    }
}

/// What each of the wanted gateways gets of all connections, while others leave.
fn part(fleet: &Fleet<'_>) -> Option<(u64, u64)> {
    let part = fleet.connections().checked_div(fleet.wanted.into())?;
    Some((part, SLACK.max(part / 10)))
}
