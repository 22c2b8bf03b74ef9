//! Which pods go, and how many replicas each revision has.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    DrainReason, Remembered,
    leaving::{Fleet, Gateway},
};

/// The deletion cost of a pod that is to be removed before all others of its Deployment.
pub const REMOVED_FIRST: i32 = -1_000_000;

/// What is removed, and what is left.
pub(super) struct Removal {
    pub(super) replicas: BTreeMap<String, u32>,
    pub(super) costs: Vec<(String, i32)>,
}

pub(super) fn of(fleet: &Fleet<'_>, remember: &mut Remembered) -> Removal {
    note_silence(fleet, remember);
    let silent = Silent {
        since: &remember.silent_since,
        fleet,
    };
    let goes: Vec<_> = fleet
        .gateways
        .iter()
        .filter(|g| goes(fleet, &silent, g))
        .collect();
    Removal {
        costs: costs(fleet, &goes),
        replicas: replicas(fleet, &goes),
    }
}

/// How many gateways of the wanted revision may run at once beside those that they replace.
///
/// There is always one at least: where earlier rollouts were not finished, the gateways of two old
/// revisions could otherwise leave no room for the wanted one.
pub(super) fn room(fleet: &Fleet<'_>) -> u32 {
    let replaced = fleet.replaced().count() as u32;
    let room = (fleet.wanted + fleet.surge).saturating_sub(replaced);
    room.max(1).min(fleet.wanted)
}

/// Gateways that are to go and do not answer.
struct Silent<'a> {
    since: &'a BTreeMap<String, Timestamp>,
    fleet: &'a Fleet<'a>,
}

impl Silent<'_> {
    /// Whether it has not answered for as long as a drain may take. It is removed then: it gets
    /// its signal to end, and drains by itself if it can.
    fn too_long(&self, gateway: &Gateway<'_>) -> bool {
        let now = self.fleet.observed.now;
        let since = self.since.get(&gateway.pod.name);
        since.is_some_and(|since| {
            now.duration_since(*since).unsigned_abs() >= self.fleet.settings.deadline
        })
    }
}

fn note_silence(fleet: &Fleet<'_>, remember: &mut Remembered) {
    let silent = |gateway: &&Gateway<'_>| {
        gateway.pod.running
            && gateway.pod.connections.is_none()
            && gateway.is_out()
            && !gateway.held
    };
    let before = std::mem::take(&mut remember.silent_since);
    let now = fleet.observed.now;
    let noted = fleet.leaving().filter(silent).map(|gateway| {
        let name = &gateway.pod.name;
        (name.clone(), before.get(name).copied().unwrap_or(now))
    });
    remember.silent_since = noted.collect();
}

/// Whether it is to be removed: nobody is there any more, and it can be missed.
fn goes(fleet: &Fleet<'_>, silent: &Silent<'_>, gateway: &Gateway<'_>) -> bool {
    let Some(reason) = gateway.leaves else {
        return false;
    };
    let done = gateway.is_empty() || silent.too_long(gateway);
    done && gateway.is_out() && !gateway.held && can_be_missed(fleet, gateway, reason)
}

/// Whether enough are there without it.
///
/// One that is not ready is no loss. Yet it is kept while nothing has shown that the wanted
/// revision works: it may come back.
fn can_be_missed(fleet: &Fleet<'_>, gateway: &Gateway<'_>, reason: DrainReason) -> bool {
    let holds = usize::from(gateway.is_open() && !gateway.is_empty());
    let others = fleet.holding() - holds.min(fleet.holding());
    if others >= fleet.wanted as usize {
        return true;
    }
    let useless =
        reason == DrainReason::Rollout && fleet.fallback() != Some(gateway.pod.revision.as_str());
    !gateway.pod.ready && (fleet.open().next().is_some() || useless)
}

/// The costs that change: those that go get one, once; those that stay after all lose it.
fn costs(fleet: &Fleet<'_>, goes: &[&Gateway<'_>]) -> Vec<(String, i32)> {
    let marked = |gateway: &Gateway<'_>| gateway.pod.deletion_cost == Some(REMOVED_FIRST);
    let marks = goes.iter().filter(|gateway| !marked(gateway));
    let marks = marks.map(|gateway| (gateway.pod.name.clone(), REMOVED_FIRST));
    let unmarks = fleet.staying().filter(|gateway| marked(gateway));
    marks
        .chain(unmarks.map(|gateway| (gateway.pod.name.clone(), 0)))
        .collect()
}

/// The replicas of each revision.
fn replicas(fleet: &Fleet<'_>, goes: &[&Gateway<'_>]) -> BTreeMap<String, u32> {
    let old = fleet
        .observed
        .revisions
        .iter()
        .filter(|seen| seen.name != fleet.revision);
    let old = old.map(|seen| {
        (
            seen.name.clone(),
            old_replicas(fleet, &Count::of(fleet, goes, &seen.name)),
        )
    });
    let mut replicas: BTreeMap<_, _> = old.filter(|(_, replicas)| *replicas > 0).collect();
    let wanted = wanted_replicas(fleet, &Count::of(fleet, goes, fleet.revision));
    replicas.insert(fleet.revision.to_owned(), wanted);
    replicas
}

/// The pods of a revision.
struct Count {
    /// What its Deployment asks for.
    now: u32,
    /// Those that are not being deleted.
    live: u32,
    /// Those of them that go now. A pod counts only when its cost is known to be set, so that no
    /// other one is removed in its place.
    gone: u32,
    /// Those of them that are to be replaced, though they are of the wanted revision.
    replaced: u32,
}

impl Count {
    fn of(fleet: &Fleet<'_>, goes: &[&Gateway<'_>], revision: &str) -> Self {
        let of = |gateway: &&Gateway<'_>| gateway.pod.revision == revision;
        let gone = |gateway: &&Gateway<'_>| {
            let marked = gateway.pod.deletion_cost == Some(REMOVED_FIRST);
            marked && goes.iter().any(|other| std::ptr::eq(*other, *gateway))
        };
        let live = fleet.gateways.iter().filter(of);
        let replaced = |gateway: &&Gateway<'_>| gateway.leaves == Some(DrainReason::NodeDrain);
        Self {
            now: fleet.replicas_of(revision),
            live: live.clone().count() as u32,
            gone: live.clone().filter(gone).count() as u32,
            replaced: live.filter(|g| replaced(g) && !gone(g)).count() as u32,
        }
    }
}

/// How many replicas an old revision keeps: those of its pods that are still needed. While the
/// wanted revision cannot take over, it keeps its number, so that pods that are lost come back.
fn old_replicas(fleet: &Fleet<'_>, count: &Count) -> u32 {
    let held = fleet.gateways.iter().any(|gateway| gateway.held);
    if count.live < count.now && (held || !fleet.can_take()) {
        return count.now;
    }
    count.now.min(count.live - count.gone)
}

/// How many replicas the wanted revision has: as many as may run, those on cordoned nodes besides;
/// and all that are there, until those that are too many have gone. A rollout that is paused adds
/// only what is missing.
fn wanted_replicas(fleet: &Fleet<'_>, count: &Count) -> u32 {
    let held = fleet.gateways.iter().filter(|gateway| gateway.held).count() as u32;
    if held > 0 {
        let missing = fleet.wanted.saturating_sub(held) + count.replaced;
        return missing.max(count.now.saturating_sub(count.gone));
    }
    let there = count.now.min(count.live - count.gone);
    (room(fleet) + count.replaced).max(there)
}
