//! Distributions of times, and what is reported of them.

use hdrhistogram::Histogram;

use crate::report::Metrics;

/// The longest time told apart: two minutes, in nanoseconds.
const LONGEST: u64 = 120_000_000_000;
/// Three significant digits.
const DIGITS: u8 = 3;

/// A distribution of nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    histogram: Option<Histogram<u64>>,
}

impl Latency {
    pub(crate) fn new() -> Self {
        // The bounds are constants that the histogram takes: a test holds it.
        Self {
            histogram: Histogram::new_with_bounds(1, LONGEST, DIGITS).ok(),
        }
    }

    /// Adds a time; what is longer than the longest counts as that.
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(nanoseconds);
        }
    }

    /// Every time that was recorded, as far as they are told apart, and how often.
    pub(crate) fn counts(&self) -> Vec<(u64, u64)> {
        let all = self.histogram.iter().flat_map(Histogram::iter_recorded);
        all.map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect()
    }

    /// Adds what [`Latency::counts`] gave.
    pub(crate) fn add(&mut self, counts: &[(u64, u64)]) {
        if let Some(histogram) = &mut self.histogram {
            for (nanoseconds, count) in counts {
                histogram.saturating_record_n(*nanoseconds, *count);
            }
        }
    }

    /// How many were recorded.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// The time that `quantile` (0 to 1) of all are within, in milliseconds.
    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        let value = self
            .histogram
            .as_ref()
            .map_or(0, |all| all.value_at_quantile(quantile));
        value as f64 / 1e6
    }

    /// Puts p50 to max into `metrics`, as `<name>_p50_ms` and so on.
    pub(crate) fn report(&self, name: &str, metrics: &mut Metrics) {
        let quantiles = [
            ("p50", 0.5),
            ("p95", 0.95),
            ("p99", 0.99),
            ("p999", 0.999),
            ("max", 1.0),
        ];
        for (label, quantile) in quantiles {
            metrics.set(format!("{name}_{label}_ms"), self.milliseconds(quantile));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_recorded_is_added() {
        let (mut latency, mut other) = (Latency::new(), Latency::new());
        other.record(5_000_000);
        other.record(5_000_000);
        latency.record(1_000_000);
        latency.add(&other.counts());
        assert_eq!(latency.count(), 3);
        assert!((latency.milliseconds(1.0) - 5.0).abs() < 0.01);
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latency = Latency::new();
        (1..=1000).for_each(|milliseconds| latency.record(milliseconds * 1_000_000));
        assert_eq!(latency.count(), 1000);
        let close = |quantile: f64, expected: f64| {
            (latency.milliseconds(quantile) - expected).abs() < expected * 0.002
        };
        assert!(close(0.5, 500.0) && close(0.99, 990.0) && close(1.0, 1000.0));
    }

    #[test]
    fn a_time_beyond_the_longest_is_counted_and_not_lost() {
        let mut latency = Latency::new();
        latency.record(u64::MAX);
        assert_eq!(latency.count(), 1);
        assert!(latency.milliseconds(1.0) >= 119_000.0);
    }
}
