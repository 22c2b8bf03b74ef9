//! Sending spans, counted.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use prometheus::IntCounter;
use sluice_util::lock;

use crate::queue::Waiting;

/// How often it is said that spans cannot be sent.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Sends by `inner`, counts what becomes of spans, and says where they cannot be sent.
#[derive(Debug)]
pub(crate) struct Exporter<E> {
    pub(crate) inner: E,
    pub(crate) waiting: Waiting,
    pub(crate) sent: IntCounter,
    pub(crate) failed: IntCounter,
    /// When it was last said that spans cannot be sent.
    pub(crate) said: Mutex<Option<Instant>>,
}

impl<E: SpanExporter> Exporter<E> {
    fn complain(&self, error: &dyn std::fmt::Display) {
        let mut said = lock(&self.said);
        if said.is_none_or(|said| said.elapsed() >= AGAIN_AFTER) {
            *said = Some(Instant::now());
            tracing::warn!(%error, "spans cannot be sent and are lost; see whether what spec.observability.otlpEndpoint names takes OTLP over HTTP (port 4318 of most collectors)");
        }
    }
}

impl<E: SpanExporter> SpanExporter for Exporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.inner.export(batch).await;
        self.waiting.exit(spans);
        match &sent {
            Ok(()) => self.sent.inc_by(spans as u64),
            Err(error) => {
                self.failed.inc_by(spans as u64);
                self.complain(error);
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
