//! What is counted of the webhook.

use prometheus::{IntCounter, IntGauge, Registry};
use sluice_contract::metrics::gateway as metric;

use crate::metrics::{RequestMetrics, Shown};

const REQUESTS: Shown = Shown {
    requests: metric::WEBHOOK_REQUESTS,
    seconds: metric::WEBHOOK_REQUEST_DURATION_SECONDS,
    buckets: &[0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
    in_flight: metric::WEBHOOK_REQUESTS_IN_FLIGHT,
    dropped: metric::WEBHOOK_DISCONNECTS_DROPPED,
};

/// Requests, and the tries and the circuit that only HTTP has.
pub(super) struct Metrics {
    pub(super) requests: RequestMetrics,
    tries: IntCounter,
    circuit_open: IntGauge,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: RequestMetrics::new(registry, &REQUESTS)?,
            tries: IntCounter::new(metric::WEBHOOK_TRIES.name, metric::WEBHOOK_TRIES.help)?,
            circuit_open: IntGauge::new(
                metric::WEBHOOK_CIRCUIT_OPEN.name,
                metric::WEBHOOK_CIRCUIT_OPEN.help,
            )?,
        };
        registry.register(Box::new(metrics.tries.clone()))?;
        registry.register(Box::new(metrics.circuit_open.clone()))?;
        Ok(metrics)
    }

    /// Counts a try, and shows what the circuit is after it.
    pub(super) fn tried(&self, circuit_closed: bool) {
        self.tries.inc();
        self.circuit_open.set(i64::from(!circuit_closed));
    }
}
