//! How many gateways are wanted.

use std::time::Duration;

use sluice_crds::cluster::Autoscaling;

use super::{Observed, PodSeen, Remembered, Settings};

/// How long fewer gateways must do before autoscaling takes one away.
const STABLE: Duration = Duration::from_mins(5);

/// How full the gateways that remain may be at most, in percent of `connectionsPerPod`, so that
/// the one that is taken away does not come back.
const FULL: u64 = 90;

/// The number of gateways that the spec or autoscaling asks for.
///
/// More gateways come as soon as the connections ask for them, and all at once. One at a time is
/// taken away, when fewer have been enough for a while and the fleet is settled; while a gateway
/// does not answer, none is.
pub(super) fn replicas(observed: &Observed, settings: &Settings, remember: &mut Remembered) -> u32 {
    let Some(scaling) = &settings.autoscaling else {
        remember.fewer_since = None;
        return settings.replicas;
    };
    let current = current(observed, scaling);
    let connections = connections(observed);
    let per_pod = u64::from(scaling.connections_per_pod.max(1));
    let more = bounded(connections.div_ceil(per_pod), scaling);
    if more >= current {
        remember.fewer_since = None;
        return more;
    }
    let fewer = bounded((connections * 100).div_ceil(per_pod * FULL), scaling);
    if fewer >= current || !all_answer(observed) {
        remember.fewer_since = None;
        return current;
    }
    let since = *remember.fewer_since.get_or_insert(observed.now);
    let stable = observed.now.duration_since(since).unsigned_abs() >= STABLE;
    current - u32::from(stable && settled(observed, current))
}

/// What was asked for last, or what is there.
fn current(observed: &Observed, scaling: &Autoscaling) -> u32 {
    let there = || live(observed).filter(|pod| pod.revision == observed.revision);
    let current = observed
        .desired_replicas
        .map_or_else(|| there().count() as u64, u64::from);
    bounded(current, scaling)
}

/// All connections, of gateways that end too: theirs are coming back. One that does not answer
/// counts as the average of the others.
fn connections(observed: &Observed) -> u64 {
    let known: Vec<u64> = observed
        .pods
        .iter()
        .filter_map(|pod| pod.connections)
        .collect();
    let total = known.iter().sum::<u64>();
    let silent = live(observed).filter(|pod| pod.ready && pod.connections.is_none());
    total + silent.count() as u64 * total.checked_div(known.len() as u64).unwrap_or(0)
}

fn bounded(replicas: u64, scaling: &Autoscaling) -> u32 {
    let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
    replicas.min(scaling.max_replicas).max(scaling.min_replicas)
}

fn all_answer(observed: &Observed) -> bool {
    live(observed).all(|pod| pod.connections.is_some())
}

/// Whether the last change of the number is done with.
fn settled(observed: &Observed, current: u32) -> bool {
    live(observed).count() == current as usize && live(observed).all(|pod| pod.ready)
}

fn live(observed: &Observed) -> impl Iterator<Item = &PodSeen> {
    observed.pods.iter().filter(|pod| !pod.terminating)
}
