//! The application over HTTP: posted to, signed, tried again, and left alone while it fails.

mod call;
mod circuit;
mod config;
mod disconnects;
mod metrics;
mod pause;
mod post;
mod signature;
mod target;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use prometheus::Registry;
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

use self::{call::call, metrics::Metrics, post::Delivery, target::Target};
pub use self::{
    circuit::CircuitSettings,
    config::{Config, ConfigError, MIN_SECRET_BYTES},
};
use crate::{
    BackendError, ConnectAnswer, ConnectRequest, Disconnected, EventAnswer, EventRequest,
    disconnects::Queue, request::Body,
};

/// What requests share.
struct Shared {
    client: Client,
    metrics: Metrics,
    target: ArcSwap<Target>,
}

impl Shared {
    fn target(&self) -> Arc<Target> {
        self.target.load_full()
    }
}

/// Asks the application's backend over HTTP.
///
/// Its connections live on the runtime that it was made with, wherever it is called from. When it
/// is dropped, ended sessions that were not told of are forgotten: see [`Self::finish`].
pub struct Webhook {
    shared: Arc<Shared>,
    disconnects: Arc<Queue>,
    runtime: Handle,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("config", &self.shared.target().config)
            .finish_non_exhaustive()
    }
}

/// Why there is no webhook.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// TLS could not be set up.
    #[error("HTTPS could not be set up; check that the machine has CA certificates: {0}")]
    Client(#[from] reqwest::Error),
    /// A webhook's metrics are registered there already.
    #[error("the webhook's metrics could not be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Webhook {
    /// A webhook that works on `runtime`, which must have timers and I/O. Its metrics, all
    /// beginning with `sluice_webhook_`, are registered at `registry`.
    pub fn new(config: Config, runtime: Handle, registry: &Registry) -> Result<Self, SetupError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .user_agent(concat!("sluice-gateway/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let metrics = Metrics::new(registry)?;
        let target = ArcSwap::from_pointee(Target::new(config));
        let shared = Arc::new(Shared {
            client,
            metrics,
            target,
        });
        let disconnects = Arc::new(Queue::default());
        runtime.spawn(disconnects::run(
            Arc::clone(&shared),
            Arc::clone(&disconnects),
        ));
        Ok(Self {
            shared,
            disconnects,
            runtime,
        })
    }

    /// Works by this configuration from the next request on; requests that are under way end as
    /// they began. Whether the backend fails is remembered as long as its URL is the same.
    pub fn set_config(&self, config: Config) {
        let next = self.shared.target().with(config);
        self.shared.target.store(Arc::new(next));
    }

    /// Asks the backend what it makes of an event. Without `ack_expected` its answer is ignored,
    /// but not its refusal.
    pub async fn event(&self, request: EventRequest) -> Result<EventAnswer, BackendError> {
        let read = if request.ack_expected {
            EventAnswer::read
        } else {
            |_: &[u8]| Ok(EventAnswer::default())
        };
        self.ask(&Body::Event(&request), read).await
    }

    /// Asks the backend whether a session may begin. An error is no answer: whether the session
    /// may begin without one is the caller's to decide.
    pub async fn connect(&self, request: ConnectRequest) -> Result<ConnectAnswer, BackendError> {
        let answer = self
            .ask(&Body::Connect(&request), ConnectAnswer::read)
            .await;
        ConnectAnswer::or_refused(answer)
    }

    /// Leaves word of a session that has ended. It is told of in a batch, again until the backend
    /// takes it; when too many wait, the oldest is forgotten and counted.
    pub fn disconnected(&self, session: Disconnected) {
        let bound = self.shared.target.load().config.disconnects;
        let dropped = self.disconnects.push(session, bound);
        self.shared.metrics.requests.dropped(dropped);
    }

    /// Waits until all sessions that have ended were told of, for so long at most. Returns
    /// whether all were.
    pub async fn finish(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.disconnects.empty())
            .await
            .is_ok()
    }

    async fn ask<T>(
        &self,
        body: &Body<'_>,
        read: fn(&[u8]) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let started = Instant::now();
        let answer = self
            .send(body.bytes())
            .await
            .and_then(|answer| read(&answer));
        let requests = &self.shared.metrics.requests;
        requests.settle(body.kind(), started, answer.as_ref().err());
        answer
    }

    /// Sends on the webhook's own runtime, and to the end even if the caller loses interest.
    async fn send(&self, body: Bytes) -> Result<Vec<u8>, BackendError> {
        let (shared, target) = (Arc::clone(&self.shared), self.shared.target());
        let permit = target.enter()?;
        let in_flight = shared.metrics.requests.enter();
        let delivery = Delivery::new(sluice_spans::headers());
        let task = self.runtime.spawn(async move {
            let _both = (permit, in_flight);
            call(&shared, &target, &delivery, &body).await
        });
        task.await.unwrap_or(Err(BackendError::Unreachable))
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.disconnects.close();
    }
}
