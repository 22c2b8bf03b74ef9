//! What is counted of requests to the application, by whichever way they go.

use std::time::{Duration, Instant};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::Collector,
};

use crate::BackendError;

/// What one way calls its metrics: a name and a sentence each.
pub(crate) struct Described {
    pub(crate) requests: (&'static str, &'static str),
    pub(crate) seconds: (&'static str, &'static str),
    /// The histogram's buckets, in seconds.
    pub(crate) buckets: &'static [f64],
    pub(crate) in_flight: (&'static str, &'static str),
    pub(crate) dropped: (&'static str, &'static str),
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
    pub(crate) fn new(registry: &Registry, names: &Described) -> Result<Self, prometheus::Error> {
        let Described {
            requests,
            seconds,
            buckets,
            in_flight,
            dropped,
        } = names;
        let seconds = HistogramOpts::new(seconds.0, seconds.1).buckets(buckets.to_vec());
        let metrics = Self {
            requests: IntCounterVec::new(Opts::new(requests.0, requests.1), &["kind", "outcome"])?,
            seconds: HistogramVec::new(seconds, &["kind"])?,
            in_flight: IntGauge::new(in_flight.0, in_flight.1)?,
            dropped: IntCounter::new(dropped.0, dropped.1)?,
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
