//! Which pods go, and how many replicas each revision has.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    DrainReason, REMOVED_FIRST, Remembered,
    victims::{Fleet, Gateway},
};

/// What is removed, and what is left.
pub(super) struct Removal {
    pub(super) replicas: BTreeMap<String, u32>,
    pub(super) costs: Vec<(String, i32)>,
    /// How many of those that are removed could take connections.
    pub(super) missed: usize,
}

pub(super) fn of(fleet: &Fleet<'_>, remember: &mut Remembered) -> Removal {
    note_silence(fleet, remember);
    let silent = Silent {
        since: &remember.silent_since,
        fleet,
    };
    let goes = goes(fleet, &silent);
    Removal {
        costs: costs(fleet, &goes),
        replicas: replicas(fleet, &goes),
        missed: goes.iter().filter(|gateway| gateway.is_open()).count(),
    }
}

/// How many gateways of the wanted revision may run at once beside those that they replace.
///
/// There is always one at least: where earlier rollouts were not finished, the gateways of two old
/// revisions could otherwise leave no room for the wanted one.
pub(super) fn room(fleet: &Fleet<'_>) -> u32 {
    let replaced = fleet.replaced().count() as u32;
    let room = fleet
        .wanted
        .saturating_add(fleet.surge)
        .saturating_sub(replaced);
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

/// Those that are removed: nobody is there any more, and they can be missed.
fn goes<'f>(fleet: &'f Fleet<'_>, silent: &Silent<'_>) -> Vec<&'f Gateway<'f>> {
    let done = |gateway: &&Gateway<'_>| {
        let done = gateway.is_empty() || silent.too_long(gateway);
        done && gateway.is_out() && !gateway.held
    };
    let mut done: Vec<_> = fleet.leaving().filter(done).collect();
    done.sort_by_key(|gateway| {
        (
            gateway.is_open(),
            !is_marked(gateway),
            gateway.pod.name.as_str(),
        )
    });
    let mut spare = fleet.spare();
    done.retain(|gateway| {
        if !gateway.is_open() {
            return spare > 0 || is_useless(fleet, gateway);
        }
        let missed = spare > 0;
        spare = spare.saturating_sub(1);
        missed
    });
    done
}

/// Whether a gateway that takes no connections never will. While nothing has shown that the wanted
/// revision works, those of the old one that serves may come back, and are kept.
fn is_useless(fleet: &Fleet<'_>, gateway: &Gateway<'_>) -> bool {
    let old = gateway.leaves == Some(DrainReason::Rollout);
    let serves = fleet.fallback() == Some(gateway.pod.revision.as_str());
    fleet.wanted == 0 || fleet.open().next().is_some() || (old && !serves)
}

fn is_marked(gateway: &Gateway<'_>) -> bool {
    gateway.pod.deletion_cost == Some(REMOVED_FIRST)
}

/// The costs that change: those that go get one, once; those that are kept after all lose it.
fn costs(fleet: &Fleet<'_>, goes: &[&Gateway<'_>]) -> Vec<(String, i32)> {
    let cost = |cost: i32| move |gateway: &Gateway<'_>| (gateway.pod.name.clone(), cost);
    let marks = goes.iter().copied().filter(|gateway| !is_marked(gateway));
    let kept = |gateway: &&Gateway<'_>| is_marked(gateway) && !is_among(goes, gateway);
    let unmarks = fleet.gateways.iter().filter(kept);
    marks
        .map(cost(REMOVED_FIRST))
        .chain(unmarks.map(cost(0)))
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
    /// Those of them that go now, whose cost is known to be set.
    gone: u32,
    /// Those of them that are to be replaced, though they are of the wanted revision.
    replaced: u32,
}

impl Count {
    fn of(fleet: &Fleet<'_>, goes: &[&Gateway<'_>], revision: &str) -> Self {
        let of = |gateway: &&Gateway<'_>| gateway.pod.revision == revision;
        let live: Vec<_> = fleet.gateways.iter().filter(of).collect();
        let gone = gone(&live, goes);
        let replaced = |gateway: &Gateway<'_>| gateway.leaves == Some(DrainReason::NodeDrain);
        let replaced = live.iter().filter(|g| replaced(g) && !is_among(&gone, g));
        Self {
            now: fleet.replicas_of(revision),
            live: live.len() as u32,
            gone: gone.len() as u32,
            replaced: replaced.count() as u32,
        }
    }
}

/// Those of a revision that its Deployment removes next if it has so many replicas less. It takes
/// pods that are not ready before all others, whatever they cost, and then those that cost least:
/// while one of these is kept, the others wait.
fn gone<'f>(live: &[&'f Gateway<'f>], goes: &[&'f Gateway<'f>]) -> Vec<&'f Gateway<'f>> {
    let place = |gateway: &Gateway<'_>| (gateway.pod.ready, !is_marked(gateway));
    let (goes, kept): (Vec<_>, Vec<_>) = live.iter().partition(|it| is_among(goes, it));
    let first = kept.into_iter().map(place).min();
    let before = |gateway: &Gateway<'_>| first.is_none_or(|first| place(gateway) < first);
    goes.into_iter()
        .filter(|gateway| is_marked(gateway) && before(gateway))
        .collect()
}

fn is_among(gateways: &[&Gateway<'_>], gateway: &Gateway<'_>) -> bool {
    gateways.iter().any(|other| std::ptr::eq(*other, gateway))
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
    let wanted = (room(fleet) + count.replaced).max(there);
    if count.gone == 0 {
        return wanted;
    }
    // Those that go must be gone before others take their place: the number would stay the same,
    // and nothing happen.
    wanted.min(count.now.max(count.live) - count.gone)
}
