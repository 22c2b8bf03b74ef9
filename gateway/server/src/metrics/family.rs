//! Building Prometheus' metric families from plain figures.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

/// The nearest figure that Prometheus can hold.
#[expect(
    clippy::cast_precision_loss,
    reason = "figures beyond 2^53 may be off by one in 2^53"
)]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

/// A figure that only grows.
pub(super) fn counter(name: &str, help: &str, value: u64) -> MetricFamily {
    family(name, help, MetricType::COUNTER, vec![counted(value)])
}

fn counted(value: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(float(value));
    let mut metric = Metric::default();
    metric.set_counter(counter);
    metric
}

/// A figure that grows and shrinks.
pub(super) fn gauge(name: &str, help: &str, value: u64) -> MetricFamily {
    let mut gauge = Gauge::default();
    gauge.set_value(float(value));
    let mut metric = Metric::default();
    metric.set_gauge(gauge);
    family(name, help, MetricType::GAUGE, vec![metric])
}

/// A counter for each value of one label.
pub(super) fn labelled(
    name: &str,
    help: &str,
    label: &str,
    values: Vec<(String, u64)>,
) -> MetricFamily {
    let metric = |(value, count): (String, u64)| {
        let mut pair = LabelPair::default();
        pair.set_name(label.to_owned());
        pair.set_value(value);
        let mut metric = counted(count);
        metric.set_label(vec![pair]);
        metric
    };
    family(
        name,
        help,
        MetricType::COUNTER,
        values.into_iter().map(metric).collect(),
    )
}

/// A distribution: `counts` has one more item than `bounds`, for what is beyond them all.
pub(super) fn histogram(
    name: &str,
    help: &str,
    bounds: &[f64],
    counts: &[u64],
    sum: f64,
) -> MetricFamily {
    let mut total = 0;
    let mut buckets = Vec::with_capacity(bounds.len());
    for (bound, count) in bounds.iter().zip(counts) {
        total += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(total);
        buckets.push(bucket);
    }
    let mut histogram = Histogram::default();
    histogram.set_sample_count(counts.iter().sum());
    histogram.set_sample_sum(sum);
    histogram.set_bucket(buckets);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    family(name, help, MetricType::HISTOGRAM, vec![metric])
}
