//! How far a rollout is.

use std::time::Duration;

use sluice_contract::DrainProgress;
use sluice_crds::cluster::RolloutProgress;

use super::{PodSeen, Remembered, victims::Fleet};

/// The rollout in figures, where there is one.
pub(super) fn of(fleet: &Fleet<'_>, remember: &mut Remembered) -> Option<RolloutProgress> {
    let old: Vec<_> = fleet
        .observed
        .pods
        .iter()
        .filter(|pod| pod.revision != fleet.revision)
        .collect();
    if old.is_empty() {
        remember.moved = 0;
        remember.moved_by.clear();
        remember.resumed = false;
        return None;
    }
    count_moved(&old, remember);
    let remaining: u64 = old.iter().filter_map(|pod| pod.connections).sum();
    let rate: f64 = drains(&old).map(|drain| drain.rate).sum();
    Some(RolloutProgress {
        moved: signed(remember.moved),
        remaining: signed(remaining),
        rate: rounded(rate),
        eta: eta(fleet, &old, remaining),
    })
}

/// Adds what gateways have moved since the last time. One that has started anew counts from zero.
fn count_moved(old: &[&PodSeen], remember: &mut Remembered) {
    for pod in old {
        let Some(drain) = pod.drain else { continue };
        let unknown = if remember.resumed { drain.moved } else { 0 };
        let before = remember
            .moved_by
            .insert(pod.name.clone(), drain.moved)
            .unwrap_or(unknown);
        remember.moved += drain.moved.checked_sub(before).unwrap_or(drain.moved);
    }
    remember.resumed = false;
    remember
        .moved_by
        .retain(|name, _| old.iter().any(|pod| pod.name == *name));
}

fn drains<'a>(pods: &'a [&PodSeen]) -> impl Iterator<Item = DrainProgress> + 'a {
    pods.iter()
        .filter_map(|pod| pod.drain)
        .filter(|drain| drain.phase.moves_all())
}

/// How long it will take: what drains now, and one wave after the other of those that do not yet,
/// each with its settling and the time that its connections need. None while nothing is moved, for
/// nobody knows when new gateways are ready.
fn eta(fleet: &Fleet<'_>, old: &[&PodSeen], remaining: u64) -> Option<sluice_crds::Duration> {
    let now = drains(old).filter_map(|drain| drain.eta).reduce(f64::max)?;
    let moving: u64 = drains(old).map(|drain| drain.remaining).sum();
    let live = old.iter().filter(|pod| !pod.terminating).count();
    let waiting = live.saturating_sub(drains(old).count());
    let waves = waiting.div_ceil(fleet.surge as usize) as u32;
    let settings = fleet.settings;
    let later = remaining.saturating_sub(moving) / u64::from(settings.connections_per_second);
    let later = Duration::from_secs(later).max(settings.window * waves) + settings.settle * waves;
    let seconds = now.max(0.0).ceil() + later.as_secs_f64().ceil();
    Some(sluice_crds::Duration::from_secs(whole(seconds)))
}

#[expect(
    clippy::cast_sign_loss,
    reason = "it is not negative, and a cast to an integer saturates"
)]
fn whole(seconds: f64) -> u32 {
    seconds as u32
}

fn rounded(rate: f64) -> i64 {
    rate.round() as i64
}

fn signed(connections: u64) -> i64 {
    i64::try_from(connections).unwrap_or(i64::MAX)
}
