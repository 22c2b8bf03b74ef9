//! What is counted.

use std::time::Duration;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, core::Collector,
};
use sluice_contract::metrics::gateway as metric;

/// Requests by operation and outcome; both are names out of this crate and the gateway's policy,
/// never out of a request.
pub(crate) struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new(metric::API_REQUESTS.name, metric::API_REQUESTS.help),
            metric::API_REQUESTS.labels,
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                metric::API_REQUEST_DURATION_SECONDS.name,
                metric::API_REQUEST_DURATION_SECONDS.help,
            )
            .buckets(vec![0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]),
            metric::API_REQUEST_DURATION_SECONDS.labels,
        )?;
        let in_flight = IntGauge::new(
            metric::API_REQUESTS_IN_FLIGHT.name,
            metric::API_REQUESTS_IN_FLIGHT.help,
        )?;
        let all: [Box<dyn Collector>; 3] = [
            Box::new(requests.clone()),
            Box::new(seconds.clone()),
            Box::new(in_flight.clone()),
        ];
        all.into_iter()
            .try_for_each(|metric| registry.register(metric))?;
        Ok(Self {
            requests,
            seconds,
            in_flight,
        })
    }

    /// Counts a request in until the returned value is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn count(&self, operation: &str, outcome: &str, took: Duration) {
        self.requests.with_label_values(&[operation, outcome]).inc();
        self.seconds
            .with_label_values(&[operation])
            .observe(took.as_secs_f64());
    }
}

pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
