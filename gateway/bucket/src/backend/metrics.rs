//! What is counted.

use std::time::Duration;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::Collector,
};

/// Requests by kind and outcome. A backend's own codes are not among the labels.
pub(super) struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
    dropped: IntCounter,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "sluice_nats_backend_requests_total",
                    "Requests to the backend over NATS, by kind and by outcome: ok or the error's code.",
                ),
                &["kind", "outcome"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "sluice_nats_backend_request_duration_seconds",
                    "Time until the backend's answer was there.",
                )
                .buckets(vec![
                    0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                ]),
                &["kind"],
            )?,
            in_flight: IntGauge::new(
                "sluice_nats_backend_requests_in_flight",
                "Events and questions that the backend has not answered yet.",
            )?,
            dropped: IntCounter::new(
                "sluice_nats_backend_disconnects_dropped_total",
                "Ended sessions that the backend was not told of.",
            )?,
        };
        let all: [Box<dyn Collector>; 4] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.seconds.clone()),
            Box::new(metrics.in_flight.clone()),
            Box::new(metrics.dropped.clone()),
        ];
        all.into_iter()
            .try_for_each(|metric| registry.register(metric))?;
        Ok(metrics)
    }

    pub(super) fn asked(&self, kind: &str, outcome: &str, took: Duration) {
        self.requests.with_label_values(&[kind, outcome]).inc();
        self.seconds
            .with_label_values(&[kind])
            .observe(took.as_secs_f64());
    }

    pub(super) fn dropped(&self, sessions: usize) {
        self.dropped.inc_by(sessions as u64);
    }

    /// Counts a request in until the returned value is dropped.
    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

pub(super) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
