//! Which gateways drain.

use sluice_contract::DrainPhase;

use super::{
    DrainCommand,
    rebalance::Rebalance,
    victims::{Fleet, Gateway},
};

/// What gateways are to be told about their connections.
///
/// `missed` of the gateways that take connections are removed at the same time.
pub(super) fn of(
    fleet: &Fleet<'_>,
    rebalance: &Rebalance,
    missed: usize,
) -> Vec<(String, DrainCommand)> {
    let mut commands = cancelled(fleet, rebalance);
    if fleet.can_take() {
        commands.extend(started(fleet, missed));
    }
    commands.extend(rebalance.commands());
    commands
}

/// Those that are to keep their connections after all.
fn cancelled(fleet: &Fleet<'_>, rebalance: &Rebalance) -> Vec<(String, DrainCommand)> {
    let cancelled = fleet
        .gateways
        .iter()
        .filter(|gateway| match gateway.phase() {
            DrainPhase::Settle | DrainPhase::Notify | DrainPhase::Move => {
                gateway.leaves.is_none() || gateway.held || !fleet.can_take()
            }
            DrainPhase::Rebalance => !rebalance.is_active(),
            DrainPhase::Serving | DrainPhase::Release => false,
        });
    let cancel = |gateway: &Gateway<'_>| (gateway.pod.name.clone(), DrainCommand::Cancel);
    cancelled.map(cancel).collect()
}

/// Those that begin to drain, the ones with the fewest connections first: as many as the others
/// have room for, as can end within their deadline, and as can be missed.
fn started(fleet: &Fleet<'_>, missed: usize) -> Vec<(String, DrainCommand)> {
    let mut budget = Budget::of(fleet, missed);
    let mut commands = Vec::new();
    for gateway in candidates(fleet) {
        if let (true, Some(reason)) = (budget.spend(gateway), gateway.leaves) {
            let command = DrainCommand::Start { reason, rate: None };
            commands.push((gateway.pod.name.clone(), command));
        }
    }
    commands
}

/// Those that could begin. There are none until all that leave are out of the Service, since a
/// client could meet another one of them.
fn candidates<'f>(fleet: &'f Fleet<'_>) -> Vec<&'f Gateway<'f>> {
    let moves = |gateway: &&Gateway<'_>| {
        let idle = gateway.phase() == DrainPhase::Serving;
        idle && !gateway.held && gateway.pod.connections.is_some_and(|open| open > 0)
    };
    if !fleet.leaving().all(Gateway::is_out) {
        return Vec::new();
    }
    let mut candidates: Vec<_> = fleet.leaving().filter(moves).collect();
    candidates.sort_by_key(|gateway| {
        (
            gateway.leaves,
            gateway.pod.connections,
            gateway.pod.name.as_str(),
        )
    });
    candidates
}

/// How much may be moved at once.
struct Budget {
    /// Gateways that take connections beyond the wanted number.
    spare: usize,
    /// Connections that those that stay have room for.
    room: u64,
    /// Connections that can still be moved before the deadline of a drain that begins now.
    in_time: u64,
    /// Whether nothing is being moved, so that the first one need not be done in time.
    idle: bool,
}

impl Budget {
    fn of(fleet: &Fleet<'_>, missed: usize) -> Self {
        let pods = fleet.observed.pods.iter();
        let drains = pods.filter_map(|pod| pod.drain.filter(|drain| drain.phase.moves_all()));
        let moving: u64 = drains.clone().map(|drain| drain.remaining).sum();
        let most = fleet.settings.max_connections;
        let free =
            |gateway: &Gateway<'_>| most.saturating_sub(gateway.pod.connections.unwrap_or(most));
        let room = if fleet.wanted == 0 {
            u64::MAX
        } else {
            fleet.served().map(free).sum()
        };
        Self {
            spare: fleet.spare().saturating_sub(missed),
            room: room.saturating_sub(moving),
            in_time: in_time(fleet).saturating_sub(moving),
            idle: drains.count() == 0,
        }
    }

    /// Takes what the drain of a gateway needs; false where there is too little.
    fn spend(&mut self, gateway: &Gateway<'_>) -> bool {
        let connections = gateway.pod.connections.unwrap_or(0);
        let holds = usize::from(gateway.is_open());
        let fits = holds <= self.spare
            && connections <= self.room
            && (connections <= self.in_time || self.idle);
        if fits {
            self.spare -= holds;
            self.room -= connections;
            self.in_time = self.in_time.saturating_sub(connections);
            self.idle = false;
        }
        fits
    }
}

/// How many connections all gateways together move between the end of their settling and their
/// deadline, with a tenth of it to spare.
pub(super) fn in_time(fleet: &Fleet<'_>) -> u64 {
    let settings = fleet.settings;
    let time = settings.deadline.saturating_sub(settings.settle);
    let rate = u128::from(settings.connections_per_second);
    let moved = rate * time.as_millis() * 9 / 10_000;
    u64::try_from(moved).unwrap_or(u64::MAX)
}
