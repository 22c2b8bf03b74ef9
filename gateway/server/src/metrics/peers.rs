//! What a gateway counts about polling sessions of others.

use prometheus::proto::MetricFamily;
use sluice_engineio::PeerCounters;

use super::family::{counter, gauge, labelled};

/// The families of a gateway that is joined with others.
pub(super) fn families(peers: &PeerCounters) -> Vec<MetricFamily> {
    let named = |(name, count): (&str, u64)| (name.to_owned(), count);
    let requests = [("poll", peers.polls.get()), ("post", peers.posts.get())];
    let failures = [
        ("unreachable", peers.unreachable.get()),
        ("malformed", peers.malformed.get()),
        ("broken", peers.broken.get()),
        ("full", peers.full.get()),
    ];
    vec![
        labelled(
            "sluice_forwarded_requests_total",
            "Polling requests that were passed on to the gateway that owns their session.",
            "kind",
            requests.map(named).to_vec(),
        ),
        gauge(
            "sluice_tunnels",
            "WebSocket connections passed on between this gateway and others now.",
            peers.tunnels.get(),
        ),
        counter(
            "sluice_tunnels_opened_total",
            "WebSocket connections that were passed on.",
            peers.tunnels_opened.get(),
        ),
        counter(
            "sluice_tunnels_sent_again_total",
            "Frames of connections passed on that were sent again, counted when their connection ends.",
            peers.sent_again.get(),
        ),
        labelled(
            "sluice_forwarding_failures_total",
            "What went wrong between gateways about polling sessions.",
            "reason",
            failures.map(named).to_vec(),
        ),
    ]
}
