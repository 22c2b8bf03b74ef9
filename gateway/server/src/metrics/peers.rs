//! What a gateway counts about polling sessions of others.

use prometheus::proto::MetricFamily;
use sluice_contract::metrics::gateway as metric;
use sluice_engineio::PeerCounters;

use super::family::{figure, labelled};

/// The families of a gateway that is joined with others.
pub(super) fn families(peers: &PeerCounters) -> Vec<MetricFamily> {
    let named = |(name, count): (&str, u64)| (name.to_owned(), count);
    let requests = [("poll", peers.polls.get()), ("post", peers.posts.get())];
    let failures = [
        ("unreachable", peers.unreachable.get()),
        ("forged", peers.forged.get()),
        ("malformed", peers.malformed.get()),
        ("broken", peers.broken.get()),
        ("full", peers.full.get()),
    ];
    vec![
        labelled(metric::FORWARDED_REQUESTS, requests.map(named).to_vec()),
        figure(metric::TUNNELS, peers.tunnels.get()),
        figure(metric::TUNNELS_OPENED, peers.tunnels_opened.get()),
        figure(metric::TUNNELS_SENT_AGAIN, peers.sent_again.get()),
        labelled(metric::FORWARDING_FAILURES, failures.map(named).to_vec()),
    ]
}
