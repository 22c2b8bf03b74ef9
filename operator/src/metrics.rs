//! What the operator counts.

pub(crate) mod list;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use sluice_contract::Metric;
use std::time::Duration;

use crate::Kind;

/// The bounds of a reconciliation's duration, in seconds.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The operator's metrics. Clones are the same ones.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    reconciled: IntCounterVec,
    took: HistogramVec,
    written: IntCounterVec,
    troubles: IntGaugeVec,
    pushed: IntCounterVec,
    objects: IntGaugeVec,
    leader: IntGauge,
}

impl Metrics {
    /// Metrics of their own registry.
    ///
    /// # Errors
    /// Never, as long as their names differ.
    pub fn new() -> Result<Self, prometheus::Error> {
        let counter = |it: Metric| IntCounterVec::new(Opts::new(it.name, it.help), it.labels);
        let gauge = |it: Metric| IntGaugeVec::new(Opts::new(it.name, it.help), it.labels);
        let took = HistogramOpts::new(list::RECONCILE_SECONDS.name, list::RECONCILE_SECONDS.help);
        let metrics = Self {
            registry: Registry::new(),
            reconciled: counter(list::RECONCILIATIONS)?,
            took: HistogramVec::new(
                took.buckets(SECONDS.to_vec()),
                list::RECONCILE_SECONDS.labels,
            )?,
            written: counter(list::WRITES)?,
            troubles: gauge(list::STALLED)?,
            pushed: counter(list::POLICY_PUSHES)?,
            objects: gauge(list::OBJECTS)?,
            leader: IntGauge::new(list::LEADER.name, list::LEADER.help)?,
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let registry = &self.registry;
        registry.register(Box::new(self.reconciled.clone()))?;
        registry.register(Box::new(self.took.clone()))?;
        registry.register(Box::new(self.written.clone()))?;
        registry.register(Box::new(self.troubles.clone()))?;
        registry.register(Box::new(self.pushed.clone()))?;
        registry.register(Box::new(self.objects.clone()))?;
        registry.register(Box::new(self.leader.clone()))
    }

    /// Where more can be registered.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A resource was reconciled.
    pub(crate) fn reconciled(&self, kind: Kind, outcome: &str, took: Duration) {
        self.reconciled
            .with_label_values(&[kind.name(), outcome])
            .inc();
        self.took
            .with_label_values(&[kind.name()])
            .observe(took.as_secs_f64());
    }

    /// Something was written, or tried to.
    pub(crate) fn wrote(&self, kind: Kind, verb: &str) {
        self.written.with_label_values(&[kind.name(), verb]).inc();
    }

    /// How many writes there were.
    #[expect(clippy::cast_sign_loss, reason = "a counter is never negative")]
    pub fn writes(&self) -> u64 {
        let families = self.registry.gather();
        let family = families.iter().find(|it| it.name() == list::WRITES.name);
        let values = family
            .into_iter()
            .flat_map(prometheus::proto::MetricFamily::get_metric);
        values
            .map(|metric| metric.get_counter().get_value() as u64)
            .sum()
    }

    /// Sets how many resources of a kind wait for a person.
    pub(crate) fn stalled(&self, kind: Kind, count: usize) {
        self.troubles
            .with_label_values(&[kind.name()])
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Documents were given to gateways, or could not be.
    pub(crate) fn pushed(&self, outcome: &str) {
        self.pushed.with_label_values(&[outcome]).inc();
    }

    /// Sets how many objects of a kind are watched.
    pub(crate) fn watched(&self, kind: Kind, count: usize) {
        self.objects
            .with_label_values(&[kind.name()])
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }
}
