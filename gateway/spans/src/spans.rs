//! From an endpoint to a layer.

use std::{sync::Mutex, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use prometheus::{IntCounterVec, Opts, Registry};
use sluice_contract::metrics::gateway as metric;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    registry::LookupSpan,
};

use crate::{
    TARGET,
    exporter::Exporter,
    http::Http,
    limit::Limit,
    queue::{Queue, Waiting},
};

/// Where OTLP over HTTP takes spans (OTLP specification, section on the default URL paths).
const PATH: &str = "/v1/traces";
/// How long the end waits until the last spans are sent.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Why spans cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum SpansError {
    /// TLS could not be set up.
    #[error("HTTPS could not be set up; check that the machine has CA certificates: {0}")]
    Client(#[from] reqwest::Error),
    /// The endpoint is no URL.
    #[error(
        "spec.observability.otlpEndpoint cannot be used: {0}; write a URL such as http://collector.monitoring:4318"
    )]
    Endpoint(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The metric's name cannot be used.
    #[error("the metric of spans could not be made: {0}")]
    Metric(#[from] prometheus::Error),
}

/// Sends spans to one endpoint, at least those of traces that come from elsewhere, and those of
/// the first hundred that begin here within a second.
#[derive(Debug)]
pub struct Spans {
    provider: SdkTracerProvider,
    counted: IntCounterVec,
}

impl Spans {
    /// Sends to the OTLP endpoint at `endpoint`, from the gateway `instance` of `cluster`, by
    /// requests on `runtime`.
    pub fn new(
        endpoint: &str,
        cluster: &str,
        instance: &str,
        runtime: Handle,
    ) -> Result<Self, SpansError> {
        let opts = Opts::new(metric::SPANS.name, metric::SPANS.help);
        let counted = IntCounterVec::new(opts, metric::SPANS.labels)?;
        let inner = SpanExporter::builder()
            .with_http()
            .with_http_client(Http::new(runtime)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(place(endpoint))
            .build()?;
        let waiting = Waiting::default();
        let exporter = Exporter {
            inner,
            waiting: waiting.clone(),
            sent: counted.with_label_values(&["sent"]),
            failed: counted.with_label_values(&["failed"]),
            said: Mutex::default(),
        };
        let queue = Queue::new(exporter, waiting, counted.with_label_values(&["dropped"]));
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Limit::new())))
            .with_resource(resource(cluster, instance))
            .with_span_processor(queue)
            .build();
        Ok(Self { provider, counted })
    }

    /// What a subscriber needs to have spans sent.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let span = filter_fn(|metadata| metadata.target() == TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("sluice-gateway"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_level(false)
            .with_target(false)
            .with_context_activation(false)
            .with_filter(span.with_max_level_hint(LevelFilter::INFO))
    }

    /// Shows the metric at `registry`; that fails only where another one's is.
    pub fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.counted.clone()))
    }

    /// Sends what is still to be sent, for two seconds at most. Blocks, and needs the runtime.
    pub fn end(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(END_WITHIN) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// The URL to post to: a base as collectors are named, or the whole.
fn place(endpoint: &str) -> String {
    let base = endpoint.trim_end_matches('/');
    if base.ends_with(PATH) {
        base.to_owned()
    } else {
        format!("{base}{PATH}")
    }
}

fn resource(cluster: &str, instance: &str) -> Resource {
    Resource::builder()
        .with_service_name("sluice-gateway")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance.to_owned()),
            KeyValue::new("sluice.cluster", cluster.to_owned()),
        ])
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_base_or_the_whole_place() {
        let whole = "http://collector:4318/v1/traces";
        for endpoint in ["http://collector:4318", "http://collector:4318/", whole] {
            assert_eq!(place(endpoint), whole);
        }
        assert_eq!(place("https://a/otlp"), "https://a/otlp/v1/traces");
    }
}
