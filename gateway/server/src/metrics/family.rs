//! Building Prometheus' metric families from plain figures.

use prometheus::proto::{
    self, Bucket, Counter, Gauge, Histogram, LabelPair, MetricFamily, MetricType,
};
use sluice_contract::{Metric, MetricKind};

fn family(metric: Metric, figures: Vec<proto::Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(metric.name.to_owned());
    family.set_help(metric.help.to_owned());
    family.set_field_type(match metric.kind {
        MetricKind::Counter => MetricType::COUNTER,
        MetricKind::Gauge => MetricType::GAUGE,
        MetricKind::Histogram => MetricType::HISTOGRAM,
    });
    family.set_metric(figures);
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

/// A counter or a gauge without labels.
pub(super) fn figure(metric: Metric, value: u64) -> MetricFamily {
    let figure = match metric.kind {
        MetricKind::Gauge => {
            let mut gauge = Gauge::default();
            gauge.set_value(float(value));
            let mut figure = proto::Metric::default();
            figure.set_gauge(gauge);
            figure
        }
        _ => counted(value),
    };
    family(metric, vec![figure])
}

fn counted(value: u64) -> proto::Metric {
    let mut counter = Counter::default();
    counter.set_value(float(value));
    let mut figure = proto::Metric::default();
    figure.set_counter(counter);
    figure
}

/// A counter for each value of its one label.
pub(super) fn labelled(metric: Metric, values: Vec<(String, u64)>) -> MetricFamily {
    let label = |value: String| {
        metric.labels.iter().map(move |name| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value.clone());
            pair
        })
    };
    let figure = |(value, count): (String, u64)| {
        let mut figure = counted(count);
        figure.set_label(label(value).collect());
        figure
    };
    family(metric, values.into_iter().map(figure).collect())
}

/// A distribution: `counts` has one more item than `bounds`, for what is beyond them all.
pub(super) fn histogram(metric: Metric, bounds: &[f64], counts: &[u64], sum: f64) -> MetricFamily {
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
    let mut figure = proto::Metric::default();
    figure.set_histogram(histogram);
    family(metric, vec![figure])
}
