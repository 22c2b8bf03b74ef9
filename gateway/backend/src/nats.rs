//! The application as a subscriber: asked by requests over NATS.

mod disconnects;
mod metrics;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::{Client, HeaderMap, Request, client::RequestErrorKind, connection::State};
use bytes::Bytes;
use prometheus::Registry;
use sluice_contract::Names;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{
    BackendError, ConnectAnswer, ConnectRequest, Disconnected, EventAnswer, EventRequest,
    disconnects::Queue, metrics::RequestMetrics, request::Body,
};

/// How many requests are under way at once; more are refused.
const MOST: usize = 256;
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 2 << 20;
/// How many ended sessions wait to be told of.
const WAITING: usize = 10_000;

/// Asks the application's backend by requests over NATS.
///
/// Requests run on the runtime that it was made with, wherever it is called from.
pub struct NatsBackend {
    client: Client,
    names: Names,
    /// In milliseconds.
    timeout: AtomicU64,
    metrics: Arc<RequestMetrics>,
    requests: Arc<Semaphore>,
    disconnects: Arc<Queue>,
    runtime: Handle,
}

impl std::fmt::Debug for NatsBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsBackend").finish_non_exhaustive()
    }
}

impl NatsBackend {
    /// A backend that is reached by `client`, under the `names` of its cluster, and given
    /// `timeout` to answer. Its metrics, all beginning with `sluice_nats_backend_`, are registered
    /// at `registry`.
    ///
    /// # Errors
    /// Where the metrics of another one are registered already.
    pub fn new(
        client: Client,
        names: Names,
        timeout: Duration,
        runtime: Handle,
        registry: &Registry,
    ) -> Result<Self, prometheus::Error> {
        let metrics = Arc::new(RequestMetrics::new(registry, &metrics::REQUESTS)?);
        let disconnects = Arc::new(Queue::default());
        runtime.spawn(disconnects::tell(
            client.clone(),
            names.clone(),
            Arc::clone(&disconnects),
            Arc::clone(&metrics),
        ));
        let backend = Self {
            client,
            names,
            timeout: AtomicU64::default(),
            metrics,
            requests: Arc::new(Semaphore::new(MOST)),
            disconnects,
            runtime,
        };
        backend.set_timeout(timeout);
        Ok(backend)
    }

    /// Gives the backend so long to answer, from the next request on.
    pub fn set_timeout(&self, timeout: Duration) {
        self.timeout
            .store(timeout.as_millis() as u64, Ordering::Relaxed);
    }

    /// Asks what becomes of an event. Without `ack_expected` nobody is asked: the event is only
    /// published.
    pub async fn event(&self, request: EventRequest) -> Result<EventAnswer, BackendError> {
        let subject = self.names.event(&request.namespace, &request.event);
        let body = Body::Event(&request);
        if request.ack_expected {
            self.ask(subject, &body, EventAnswer::from_reply).await
        } else {
            self.publish(subject, &body)
                .await
                .map(|()| EventAnswer::default())
        }
    }

    /// Asks whether a session may begin.
    pub async fn connect(&self, request: ConnectRequest) -> Result<ConnectAnswer, BackendError> {
        let subject = self.names.connect(&request.namespace);
        self.ask(subject, &Body::Connect(&request), ConnectAnswer::from_reply)
            .await
    }

    /// Leaves word of a session that has ended. When too many wait, the oldest is forgotten and
    /// counted.
    pub fn disconnected(&self, session: Disconnected) {
        self.metrics
            .dropped(self.disconnects.push(session, WAITING));
    }

    /// Waits until all sessions that have ended were told of, for so long at most. Returns
    /// whether all were.
    pub async fn finish(&self, within: Duration) -> bool {
        let told = async {
            self.disconnects.empty().await;
            self.client.flush().await.is_ok()
        };
        tokio::time::timeout(within, told).await.unwrap_or(false)
    }

    async fn ask<T>(
        &self,
        subject: String,
        body: &Body<'_>,
        read: fn(&[u8]) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let started = Instant::now();
        let answer = self.send(subject, body.bytes()).await;
        let answer = answer.and_then(|answer| read(&answer));
        self.metrics
            .settle(body.kind(), started, answer.as_ref().err());
        answer
    }

    /// Sends on the backend's own runtime, and to the end even if the caller loses interest.
    async fn send(&self, subject: String, body: Bytes) -> Result<Bytes, BackendError> {
        if !is_connected(&self.client) {
            return Err(BackendError::Unreachable);
        }
        let permit = Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| BackendError::Overloaded)?;
        let in_flight = self.metrics.enter();
        let client = self.client.clone();
        let trace = trace();
        let timeout = Duration::from_millis(self.timeout.load(Ordering::Relaxed));
        let task = self.runtime.spawn(async move {
            let _both = (permit, in_flight);
            // With an inbox of its own: the client would remember a request in the common one
            // for ever that nobody answers.
            let request = Request::new()
                .headers(trace)
                .payload(body)
                .timeout(Some(timeout))
                .inbox(client.new_inbox());
            client.send_request(subject, request).await
        });
        let answer = task.await.map_err(|_| BackendError::Unreachable)?;
        let answer = answer.map_err(|error| unanswered(error.kind()))?.payload;
        if answer.len() > MAX_ANSWER {
            let what = format!("it is larger than {MAX_ANSWER} bytes");
            return Err(BackendError::AnswerInvalid(what));
        }
        Ok(answer)
    }

    async fn publish(&self, subject: String, body: &Body<'_>) -> Result<(), BackendError> {
        let started = Instant::now();
        let published = if is_connected(&self.client) {
            let published = self
                .client
                .publish_with_headers(subject, trace(), body.bytes())
                .await;
            published.map_err(|_| unanswered(RequestErrorKind::MaxPayloadExceeded))
        } else {
            Err(BackendError::Unreachable)
        };
        self.metrics
            .settle(body.kind(), started, published.as_ref().err());
        published
    }
}

/// Whether there is a connection to NATS, as far as is known.
fn is_connected(client: &Client) -> bool {
    client.connection_state() == State::Connected
}

/// The trace that a request belongs to, if any.
fn trace() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sluice_spans::headers() {
        headers.insert(name, value.as_str());
    }
    headers
}

fn unanswered(kind: RequestErrorKind) -> BackendError {
    match kind {
        RequestErrorKind::TimedOut => BackendError::Timeout,
        RequestErrorKind::MaxPayloadExceeded => BackendError::TooLarge,
        _ => BackendError::Unreachable,
    }
}

impl Drop for NatsBackend {
    fn drop(&mut self) {
        self.disconnects.close();
    }
}
