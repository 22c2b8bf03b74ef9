//! What a gateway's part of a fleet counts.

use prometheus::proto::MetricFamily;
use sluice_nats::{Nats, core::Newer};

use super::family::{counter, gauge, labelled};

/// The families of a gateway whose backbone is NATS.
pub(super) fn families(nats: &Nats) -> Vec<MetricFamily> {
    let mut families = messages(nats);
    families.extend(fleet(nats));
    families.extend(link(nats));
    families
}

fn messages(nats: &Nats) -> Vec<MetricFamily> {
    let (history, (unstored, sessions)) =
        nats.with(|core, _, _| (core.history_counters(), core.stored()));
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
        labelled(
            "sluice_backbone_messages_total",
            "Messages of rooms with history, by what became of them at this gateway.",
            "fate",
            fates.to_vec(),
        ),
        gauge(
            "sluice_backbone_unstored_messages",
            "Messages that wait to be stored.",
            unstored,
        ),
        gauge(
            "sluice_backbone_stored_sessions",
            "Sessions of this gateway that would go on elsewhere if it died.",
            sessions,
        ),
    ]
}

fn fleet(nats: &Nats) -> Vec<MetricFamily> {
    let (peers, faults, newer) =
        nats.with(|core, at, _| (core.peers(at).len() as u64, core.faults(), core.newer()));
    let kinds = [
        ("fleet", faults.fleet),
        ("presence", faults.presence),
        ("users", faults.users),
        ("commands", faults.commands),
    ];
    vec![
        gauge(
            "sluice_backbone_gateways",
            "Gateways of the fleet, this one included.",
            peers + 1,
        ),
        labelled(
            "sluice_backbone_malformed_total",
            "What other gateways said that could not be understood.",
            "kind",
            kinds.map(|(kind, count)| (kind.to_owned(), count)).to_vec(),
        ),
        labelled(
            "sluice_backbone_newer_total",
            "What newer gateways said that this version does not know, and skips.",
            "kind",
            by_kind(newer),
        ),
        counter(
            "sluice_backbone_silent_total",
            "How often a gateway did not answer a command in time.",
            faults.silent,
        ),
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
    vec![
        gauge(
            "sluice_backbone_connected",
            "Whether there is a connection to NATS.",
            u64::from(nats.link().is_connected()),
        ),
        counter(
            "sluice_backbone_connects_total",
            "Connections to NATS, the first one included.",
            stats.connects,
        ),
        gauge(
            "sluice_backbone_subscriptions",
            "Subjects that are subscribed to.",
            stats.subscriptions as u64,
        ),
        counter(
            "sluice_backbone_received_messages_total",
            "Messages that came from NATS.",
            stats.messages_in,
        ),
        counter(
            "sluice_backbone_received_bytes_total",
            "Bytes that came from NATS.",
            stats.bytes_in,
        ),
        counter(
            "sluice_backbone_sent_messages_total",
            "Messages that were sent to NATS.",
            stats.messages_out,
        ),
        counter(
            "sluice_backbone_sent_bytes_total",
            "Bytes of messages that were sent to NATS.",
            stats.bytes_out,
        ),
        counter(
            "sluice_backbone_dropped_total",
            "Messages that were not sent because there was no connection, or too much waited.",
            stats.dropped + stats.refused,
        ),
        gauge(
            "sluice_backbone_waiting_bytes",
            "Bytes that wait to be written to NATS.",
            stats.waiting_bytes as u64,
        ),
    ]
}
