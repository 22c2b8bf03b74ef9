//! What is counted of requests to the application, by whichever way they go.

use std::time::{Duration, Instant};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::Collector,
};
use sluice_contract::Metric;

use crate::BackendError;

/// What one way shows of its requests.
pub(crate) struct Shown {
    pub(crate) requests: Metric,
    pub(crate) seconds: Metric,
    /// The histogram's buckets, in seconds.
    pub(crate) buckets: &'static [f64],
    pub(crate) in_flight: Metric,
    pub(crate) dropped: Metric,
}

/// Requests by kind and outcome. An application's own codes are not among the labels.
pub(crate) struct RequestMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
    dropped: IntCounter,
}

impl RequestMetrics {
    /// # Errors
    /// Where metrics with these names are registered already.
    pub(crate) fn new(registry: &Registry, shown: &Shown) -> Result<Self, prometheus::Error> {
        let Shown {
            requests,
            seconds,
            buckets,
            in_flight,
            dropped,
        } = shown;
        let times = HistogramOpts::new(seconds.name, seconds.help).buckets(buckets.to_vec());
        let metrics = Self {
            requests: IntCounterVec::new(Opts::new(requests.name, requests.help), requests.labels)?,
            seconds: HistogramVec::new(times, seconds.labels)?,
            in_flight: IntGauge::new(in_flight.name, in_flight.help)?,
            dropped: IntCounter::new(dropped.name, dropped.help)?,
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

    /// Counts a request that is settled: answered, or not by this error.
    pub(crate) fn count(&self, kind: &str, took: Duration, error: Option<&BackendError>) {
        let outcome = error.map_or("ok", |error| error.code().as_str());
        self.requests.with_label_values(&[kind, outcome]).inc();
        self.seconds
            .with_label_values(&[kind])
            .observe(took.as_secs_f64());
    }

    /// Counts a request, and says in the log why it was not answered.
    pub(crate) fn settle(&self, kind: &str, started: Instant, error: Option<&BackendError>) {
        self.count(kind, started.elapsed(), error);
        match error {
            Some(BackendError::AnswerInvalid(what)) => {
                tracing::warn!(kind, %what, "the backend's answer could not be read; correct the backend");
            }
            Some(error) => {
                tracing::info!(
                    kind,
                    code = error.code().as_str(),
                    ?error,
                    "the backend gave no answer"
                );
            }
            None => {}
        }
    }

    /// Counts ended sessions that the application is not told of.
    pub(crate) fn dropped(&self, sessions: usize) {
        self.dropped.inc_by(sessions as u64);
    }

    /// Counts a request in until the returned value is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

/// A request that is under way.
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
