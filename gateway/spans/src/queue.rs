//! The spans that wait to be sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};
use prometheus::IntCounter;

/// The most spans that wait.
const MOST: usize = 4_096;
/// How many are sent at once.
const BATCH: usize = 512;
/// How often they are sent, if there are fewer.
const EVERY: Duration = Duration::from_secs(1);

/// How many spans wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// Whether there is room for one more, which is taken then.
    fn enter(&self) -> bool {
        let more = |waiting| (waiting < MOST).then_some(waiting + 1);
        self.0.try_update(Relaxed, Relaxed, more).is_ok()
    }

    pub(crate) fn exit(&self, spans: usize) {
        self.0.fetch_sub(spans, Relaxed);
    }
}

/// Sends spans in batches on a thread of its own. What finds it full is dropped and counted, which
/// the library's own queue would only log.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Waiting,
    dropped: IntCounter,
    batches: BatchSpanProcessor,
}

impl Queue {
    /// A queue in front of `exporter`, which counts down `waiting`.
    pub(crate) fn new(
        exporter: impl SpanExporter + 'static,
        waiting: Waiting,
        dropped: IntCounter,
    ) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MOST)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(EVERY)
            .build();
        Self {
            waiting,
            dropped,
            batches: BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
        }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.batches.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.enter() {
            self.batches.on_end(span);
        } else {
            self.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Sends nothing until it is let go.
    #[derive(Debug)]
    struct Held {
        until: Mutex<mpsc::Receiver<()>>,
        waiting: Waiting,
        sent: Arc<AtomicUsize>,
    }

    impl SpanExporter for Held {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            // It is let go for ever when the sender is dropped.
            let _ = self.until.lock().unwrap().recv();
            self.waiting.exit(batch.len());
            self.sent.fetch_add(batch.len(), Relaxed);
            Ok(())
        }
    }

    #[test]
    fn what_finds_the_queue_full_is_counted_and_all_else_is_sent() {
        let (hold, until) = mpsc::channel();
        let (waiting, sent) = (Waiting::default(), Arc::<AtomicUsize>::default());
        let dropped = IntCounter::new("dropped", "Dropped.").unwrap();
        let exporter = Held {
            until: Mutex::new(until),
            waiting: waiting.clone(),
            sent: Arc::clone(&sent),
        };
        let queue = Queue::new(exporter, waiting, dropped.clone());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .build();
        let tracer = provider.tracer("test");
        for _ in 0..MOST + 100 {
            drop(tracer.start("span"));
        }
        assert_eq!(dropped.get(), 100);
        drop(hold);
        provider
            .shutdown_with_timeout(Duration::from_mins(1))
            .unwrap();
        assert_eq!(sent.load(Relaxed), MOST);
    }
}
