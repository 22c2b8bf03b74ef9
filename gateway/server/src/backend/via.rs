//! The ways in which a backend is reached.

use std::{sync::Arc, time::Duration};

use sluice_backend::{
    Answer, Connect, ConnectRequest, Disconnected, EventRequest, Webhook, WebhookError,
};
use sluice_bucket::NatsBackend;

/// One way.
pub(super) enum Via {
    Webhook(Arc<Webhook>),
    Nats(Arc<NatsBackend>),
}

impl Via {
    pub(super) async fn event(&self, request: EventRequest) -> Result<Answer, WebhookError> {
        match self {
            Self::Webhook(webhook) => webhook.event(request).await,
            Self::Nats(nats) => nats.event(request).await,
        }
    }

    pub(super) async fn connect(&self, request: ConnectRequest) -> Result<Connect, WebhookError> {
        match self {
            Self::Webhook(webhook) => webhook.connect(request).await,
            Self::Nats(nats) => nats.connect(request).await,
        }
    }

    pub(super) fn disconnected(&self, session: Disconnected) {
        match self {
            Self::Webhook(webhook) => webhook.disconnected(session),
            Self::Nats(nats) => nats.disconnected(session),
        }
    }

    pub(super) async fn finish(&self, within: Duration) -> bool {
        match self {
            Self::Webhook(webhook) => webhook.finish(within).await,
            Self::Nats(nats) => nats.finish(within).await,
        }
    }
}
