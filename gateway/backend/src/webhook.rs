//! The backend as the gateway sees it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use prometheus::Registry;
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

use crate::{
    Answer, Config, Connect, ConnectRequest, Disconnected, EventRequest, WebhookError,
    call::{Delivery, call},
    disconnects::{self, Queue},
    metrics::Metrics,
    request::Body,
    target::Target,
};

/// What requests share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) metrics: Metrics,
    target: ArcSwap<Target>,
}

impl Shared {
    pub(crate) fn target(&self) -> Arc<Target> {
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
    pub async fn event(&self, request: EventRequest) -> Result<Answer, WebhookError> {
        let read = if request.ack_expected {
            Answer::read
        } else {
            |_: &[u8]| Ok(Answer::default())
        };
        self.ask(&Body::Event(&request), read).await
    }

    /// Asks the backend whether a session may begin. An error is no answer: whether the session
    /// may begin without one is the caller's to decide.
    pub async fn connect(&self, request: ConnectRequest) -> Result<Connect, WebhookError> {
        match self.ask(&Body::Connect(&request), Connect::read).await {
            Err(WebhookError::Refused {
                own: Some((code, message)),
                ..
            }) => Ok(Connect::Refused { code, message }),
            other => other,
        }
    }

    /// Leaves word of a session that has ended. It is told of in a batch, again until the backend
    /// takes it; when too many wait, the oldest is forgotten and counted.
    pub fn disconnected(&self, session: Disconnected) {
        let bound = self.shared.target.load().config.disconnects;
        let dropped = self.disconnects.push(session, bound);
        self.shared.metrics.dropped(dropped);
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
        read: fn(&[u8]) -> Result<T, WebhookError>,
    ) -> Result<T, WebhookError> {
        let started = Instant::now();
        let answer = self
            .send(body.bytes())
            .await
            .and_then(|answer| read(&answer));
        let outcome = answer.as_ref().map_or_else(WebhookError::code, |_| "ok");
        self.shared
            .metrics
            .asked(body.kind(), outcome, started.elapsed());
        if let Err(WebhookError::AnswerInvalid(what)) = &answer {
            tracing::warn!(kind = body.kind(), %what, "the backend's answer could not be read; correct the backend");
        } else if let Err(error) = &answer {
            tracing::info!(
                kind = body.kind(),
                code = error.code(),
                ?error,
                "the backend gave no answer"
            );
        }
        answer
    }

    /// Sends on the webhook's own runtime, and to the end even if the caller loses interest.
    async fn send(&self, body: Bytes) -> Result<Vec<u8>, WebhookError> {
        let (shared, target) = (Arc::clone(&self.shared), self.shared.target());
        let permit = target.enter()?;
        let in_flight = shared.metrics.enter();
        let delivery = Delivery::new(sluice_spans::headers());
        let task = self.runtime.spawn(async move {
            let _both = (permit, in_flight);
            call(&shared, &target, &delivery, &body).await
        });
        task.await.unwrap_or(Err(WebhookError::Unreachable))
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.disconnects.close();
    }
}
