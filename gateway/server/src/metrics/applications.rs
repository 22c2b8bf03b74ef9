//! What a gateway counts of applications.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use prometheus::proto::MetricFamily;
use sluice_applications::{Application, Counters};
use sluice_contract::metrics::gateway as metric;

use super::{
    WorkerCounters,
    family::{figure, labelled},
};

/// The families of a gateway that has applications, or may have some.
pub(super) fn families(
    applications: &[Arc<Application>],
    workers: &[WorkerCounters],
) -> Vec<MetricFamily> {
    let sum = |pick: fn(&Counters) -> &AtomicU64| {
        let counts = applications.iter();
        counts
            .map(|application| pick(application.counters()).load(Relaxed))
            .sum::<u64>()
    };
    let named = |(name, count): (&str, u64)| (name.to_owned(), count);
    let hub = |pick: fn(&WorkerCounters) -> u64| workers.iter().map(pick).sum::<u64>();
    let events = [
        ("taken", hub(|worker| worker.hub.application_events.get())),
        ("in_doubt", hub(|worker| worker.hub.in_doubt.get())),
        ("unanswered", hub(|worker| worker.hub.never_answered.get())),
        (
            "undelivered",
            hub(|worker| worker.hub.undelivered_events.get()),
        ),
    ];
    let entries = entries(sum, hub);
    let gone = [
        ("ended", sum(|counters| &counters.ended)),
        ("silent", sum(|counters| &counters.silent)),
        ("blocked", sum(|counters| &counters.blocked)),
        ("reset", sum(|counters| &counters.reset)),
    ];
    let mut families = gauges(sum, hub);
    families.extend([
        labelled(metric::APPLICATION_EVENTS, events.map(named).to_vec()),
        figure(
            metric::APPLICATION_HANDOVERS,
            hub(|worker| worker.hub.handovers.get()),
        ),
        labelled(
            metric::APPLICATION_ENTRIES,
            entries.into_iter().map(named).collect(),
        ),
        labelled(metric::APPLICATION_INSTANCES_GONE, gone.map(named).to_vec()),
        figure(
            metric::APPLICATION_FRAMES_SENT_AGAIN,
            sum(|counters| &counters.sent_again),
        ),
    ]);
    families
}

/// What this gateway and instances said to each other, by what became of it.
fn entries(
    sum: impl Fn(fn(&Counters) -> &AtomicU64) -> u64,
    hub: impl Fn(fn(&WorkerCounters) -> u64) -> u64,
) -> Vec<(&'static str, u64)> {
    vec![
        ("said", sum(|counters| &counters.said)),
        ("heard", sum(|counters| &counters.heard)),
        ("newer", sum(|counters| &counters.newer)),
        ("stray", sum(|counters| &counters.strays)),
        ("malformed", sum(|counters| &counters.malformed)),
        ("unheard", hub(|worker| worker.hub.unheard_entries.get())),
        (
            "unreadable",
            hub(|worker| worker.hub.unreadable_emissions.get()),
        ),
    ]
}

/// What there is now.
fn gauges(
    sum: impl Fn(fn(&Counters) -> &AtomicU64) -> u64,
    hub: impl Fn(fn(&WorkerCounters) -> u64) -> u64,
) -> Vec<MetricFamily> {
    vec![
        figure(
            metric::APPLICATION_INSTANCES,
            sum(|counters| &counters.instances),
        ),
        figure(
            metric::APPLICATION_SESSIONS,
            hub(|worker| worker.hub.attached.get()),
        ),
        figure(
            metric::APPLICATION_HELD_BYTES,
            sum(|counters| &counters.held_bytes),
        ),
        figure(
            metric::APPLICATION_WAITING_BYTES,
            hub(|worker| worker.hub.waiting_bytes.get()),
        ),
        figure(
            metric::APPLICATION_PAUSED_SESSIONS,
            hub(|worker| worker.hub.paused.get()),
        ),
        figure(
            metric::APPLICATION_RECOVERY_BYTES,
            sum(|counters| &counters.recovery_bytes),
        ),
    ]
}
