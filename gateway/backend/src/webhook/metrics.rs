//! What is counted of the webhook.

use prometheus::{IntCounter, IntGauge, Registry};

use crate::metrics::{Described, RequestMetrics};

const REQUESTS: Described = Described {
    requests: (
        "sluice_webhook_requests_total",
        "Requests to the backend, by kind and by outcome: ok or the error's code.",
    ),
    seconds: (
        "sluice_webhook_request_duration_seconds",
        "Time until the backend's answer was there, all tries together.",
    ),
    buckets: &[0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
    in_flight: (
        "sluice_webhook_requests_in_flight",
        "Events and questions that the backend has not answered yet.",
    ),
    dropped: (
        "sluice_webhook_disconnects_dropped_total",
        "Ended sessions that the backend was not told of.",
    ),
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
            tries: IntCounter::new(
                "sluice_webhook_tries_total",
                "Tries to post a request to the backend; more than requests where some are repeated.",
            )?,
            circuit_open: IntGauge::new(
                "sluice_webhook_circuit_open",
                "1 while the backend is left alone because it fails, else 0.",
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
