//! What a gateway's part of a fleet counts.

use prometheus::proto::MetricFamily;
use sluice_contract::metrics::gateway as metric;
use sluice_nats::{Nats, core::Newer};

use super::family::{figure, labelled};

/// The families of a gateway whose backbone is NATS.
pub(super) fn families(nats: &Nats) -> Vec<MetricFamily> {
    let mut families = messages(nats);
    families.extend(fleet(nats));
    families.extend(link(nats));
    families
}

fn messages(nats: &Nats) -> Vec<MetricFamily> {
    let (history, (unstored, sessions), unsettled) =
        nats.with(|core, _, _| (core.history_counters(), core.stored(), core.unsettled()));
    let fates = [
        ("published", history.published),
        ("retried", history.retried),
        ("delivered", history.delivered),
        ("repaired", history.repaired),
        ("late", history.late),
        ("repeated", history.repeated),
        ("lost", history.lost),
        ("malformed", history.malformed),
        ("newer", history.newer),
    ];
    let fates = fates.map(|(fate, count)| (fate.to_owned(), count));
    vec![
        labelled(metric::BACKBONE_MESSAGES, fates.to_vec()),
        labelled(metric::BACKBONE_STREAM_LOSSES, losses(nats)),
        figure(metric::BACKBONE_UNSTORED_MESSAGES, unstored),
        figure(metric::BACKBONE_CATCHING_UP, u64::from(unsettled.apart)),
        figure(metric::BACKBONE_BEHIND_ROOMS, unsettled.repairing as u64),
        figure(metric::BACKBONE_STORED_SESSIONS, sessions),
    ]
}

/// By the stream and what became of it.
fn losses(nats: &Nats) -> Vec<(String, u64)> {
    let (rooms, sessions) = nats.with(|core, _, _| core.stream_losses());
    let all = [
        ("rooms_gone", rooms.gone),
        ("rooms_anew", rooms.anew),
        ("rooms_back", rooms.back),
        ("sessions_gone", sessions.gone),
        ("sessions_anew", sessions.anew),
        ("sessions_back", sessions.back),
    ];
    all.map(|(what, count)| (what.to_owned(), count)).to_vec()
}

fn fleet(nats: &Nats) -> Vec<MetricFamily> {
    let (peers, faults, newer) =
        nats.with(|core, at, _| (core.peers(at).len() as u64, core.faults(), core.newer()));
    let namesakes = nats.with(|core, _, _| core.namesakes());
    let kinds = [
        ("fleet", faults.fleet),
        ("presence", faults.presence),
        ("users", faults.users),
        ("commands", faults.commands),
    ];
    vec![
        figure(metric::BACKBONE_GATEWAYS, peers + 1),
        figure(metric::BACKBONE_NAMESAKES, namesakes as u64),
        labelled(
            metric::BACKBONE_MALFORMED,
            kinds.map(|(kind, count)| (kind.to_owned(), count)).to_vec(),
        ),
        labelled(metric::BACKBONE_NEWER, by_kind(newer)),
        figure(metric::BACKBONE_SILENT, faults.silent),
    ]
}

fn by_kind(newer: Newer) -> Vec<(String, u64)> {
    let kinds = [
        ("subjects", newer.subjects),
        ("live", newer.live),
        ("sessions", newer.sessions),
        ("presence", newer.presence),
        ("users", newer.users),
        ("commands", newer.commands),
    ];
    kinds.map(|(kind, count)| (kind.to_owned(), count)).to_vec()
}

fn link(nats: &Nats) -> Vec<MetricFamily> {
    let stats = nats.link().stats();
    let max_payload = nats.with(|core, _, _| core.max_payload());
    vec![
        figure(
            metric::BACKBONE_CONNECTED,
            u64::from(nats.link().is_connected()),
        ),
        figure(metric::BACKBONE_CONNECTS, stats.connects),
        figure(metric::BACKBONE_SUBSCRIPTIONS, stats.subscriptions as u64),
        figure(metric::BACKBONE_RECEIVED_MESSAGES, stats.messages_in),
        figure(metric::BACKBONE_RECEIVED_BYTES, stats.bytes_in),
        figure(metric::BACKBONE_SENT_MESSAGES, stats.messages_out),
        figure(metric::BACKBONE_SENT_BYTES, stats.bytes_out),
        figure(metric::BACKBONE_DROPPED, stats.dropped + stats.refused),
        figure(metric::BACKBONE_MAX_PAYLOAD_BYTES, max_payload as u64),
        figure(metric::BACKBONE_WAITING_BYTES, stats.waiting_bytes as u64),
    ]
}
