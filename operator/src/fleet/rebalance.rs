//! Evening out a fleet whose gateways hold very different numbers of connections.

use std::time::Duration;

use sluice_contract::DrainPhase;

use super::{
    DrainCommand, Remembered,
    victims::{Fleet, Gateway},
};

/// How long connections must have been spread unevenly. Where a gateway has died, its clients are
/// still on their way, and may even out by themselves what is uneven without them.
const CALM: Duration = Duration::from_secs(10);

/// By how much of the mean, in percent, a gateway must exceed it before anything is done.
const UNEVEN: u64 = 20;

/// By how many connections it must exceed it besides; fewer are not worth a move.
const LEAST: u64 = 100;

/// A gateway with less than this part of the mean is nearly empty.
const EMPTY: u64 = 3;

/// Of the fleet's rate, the part that is used: nobody waits for an even fleet.
const PART_OF_RATE: f64 = 0.5;

/// The evening out of a fleet, where there is any.
///
/// The gateways that have more than the mean leave the Service meanwhile, and those that have far
/// more close as many connections as they have beyond it. So those who are moved come to gateways
/// that have fewer, and nobody is moved twice.
#[derive(Debug, Default)]
pub(super) struct Rebalance {
    mean: Option<u64>,
    commands: Vec<(String, DrainCommand)>,
}

impl Rebalance {
    pub(super) fn of(fleet: &Fleet<'_>, remember: &mut Remembered) -> Self {
        let Some(mean) = mean(fleet) else {
            remember.uneven_since = None;
            return Self::default();
        };
        let mut gateways = fleet.gateways.iter();
        let moves = gateways.any(|gateway| gateway.phase() == DrainPhase::Rebalance);
        if !moves && !is_calm(fleet, mean, remember) {
            return Self::default();
        }
        Self {
            mean: Some(mean),
            commands: commands(fleet, mean),
        }
    }

    /// Whether connections are being evened out.
    pub(super) fn is_active(&self) -> bool {
        self.mean.is_some()
    }

    /// The connections that each gateway should have, while they are evened out, and how many
    /// more it may get. It is half of what makes a gateway uneven: one that gets those who are
    /// moved must not have to move them again.
    pub(super) fn part(&self) -> Option<(u64, u64)> {
        self.mean.map(|mean| (mean, slack(mean) / 2))
    }

    pub(super) fn commands(&self) -> Vec<(String, DrainCommand)> {
        self.commands.clone()
    }
}

/// By how many connections a gateway may exceed the mean.
fn slack(mean: u64) -> u64 {
    (mean * UNEVEN / 100).max(LEAST)
}

fn is_uneven(gateway: &Gateway<'_>, mean: u64) -> bool {
    let bound = mean + slack(mean);
    gateway
        .pod
        .connections
        .is_some_and(|connections| connections > bound)
}

/// Whether connections have been spread unevenly for a while, with a gateway that has hardly any: it
/// was added, or has died and is there again. Who was just moved by a rollout is not moved again for
/// what is uneven after that.
fn is_calm(fleet: &Fleet<'_>, mean: u64, remember: &mut Remembered) -> bool {
    let any = |is: fn(&Gateway<'_>, u64) -> bool| fleet.gateways.iter().any(|it| is(it, mean));
    if !(any(is_uneven) && any(is_nearly_empty)) {
        remember.uneven_since = None;
        return false;
    }
    let now = fleet.observed.now;
    let since = *remember.uneven_since.get_or_insert(now);
    now.duration_since(since).unsigned_abs() >= CALM
}

fn is_nearly_empty(gateway: &Gateway<'_>, mean: u64) -> bool {
    let most = mean / EMPTY;
    gateway.pod.connections.is_some_and(|it| it < most)
}

/// The mean of a fleet that is as it should be otherwise. A fleet that changes is not evened out:
/// its clients move anyway.
fn mean(fleet: &Fleet<'_>) -> Option<u64> {
    let all_there = fleet.gateways.len() == fleet.wanted as usize
        && fleet.observed.pods.len() == fleet.gateways.len()
        && fleet.open().count() == fleet.gateways.len()
        && !fleet.rolls_out();
    let all_answer = fleet
        .gateways
        .iter()
        .all(|gateway| gateway.pod.connections.is_some());
    let even_out = fleet.settings.rebalance && all_there && all_answer;
    even_out.then(|| fleet.connections().checked_div(fleet.wanted.into()))?
}

/// What those are told that have far more than the mean and are out of the Service.
fn commands(fleet: &Fleet<'_>, mean: u64) -> Vec<(String, DrainCommand)> {
    let excess = |gateway: &Gateway<'_>| gateway.pod.connections.unwrap_or(0).saturating_sub(mean);
    let all: u64 = fleet.gateways.iter().map(excess).sum();
    let rate = f64::from(fleet.settings.connections_per_second) * PART_OF_RATE;
    let begins = |gateway: &&Gateway<'_>| {
        let idle = gateway.phase() == DrainPhase::Serving;
        idle && !gateway.pod.serving && is_uneven(gateway, mean)
    };
    let begin = |gateway: &Gateway<'_>| {
        let connections = excess(gateway);
        let rate = Some(rate * part(connections, all));
        (
            gateway.pod.name.clone(),
            DrainCommand::Rebalance { connections, rate },
        )
    };
    fleet.gateways.iter().filter(begins).map(begin).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a part of a rate need not be exact beyond 2^52 connections"
)]
fn part(connections: u64, all: u64) -> f64 {
    connections as f64 / all.max(1) as f64
}
