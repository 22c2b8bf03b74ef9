//! The backend of an application, by whichever way it is asked.

use std::{sync::Arc, time::Duration};

use crate::{
    BackendError, ConnectAnswer, ConnectRequest, Disconnected, EventAnswer, EventRequest,
    NatsBackend, Webhook,
};

/// An application's backend: over HTTP, or as a subscriber. Clones are the same one.
#[derive(Debug, Clone)]
pub enum Backend {
    /// It is posted to.
    Webhook(Arc<Webhook>),
    /// It subscribes to subjects.
    Nats(Arc<NatsBackend>),
}

impl Backend {
    /// Asks what becomes of an event. Without [`EventRequest::ack_expected`] the answer is empty:
    /// over HTTP what the application says is not read, unless it refuses, and over NATS nobody
    /// is waited for.
    ///
    /// # Errors
    /// Where the application refuses, or does not answer as asked.
    pub async fn event(&self, request: EventRequest) -> Result<EventAnswer, BackendError> {
        match self {
            Self::Webhook(webhook) => webhook.event(request).await,
            Self::Nats(nats) => nats.event(request).await,
        }
    }

    /// Asks whether a session may begin. A refusal with a code of the application's own is an
    /// answer; whether a session may begin without an answer is the caller's to decide.
    ///
    /// # Errors
    /// Where the application does not answer as asked.
    pub async fn connect(&self, request: ConnectRequest) -> Result<ConnectAnswer, BackendError> {
        match self {
            Self::Webhook(webhook) => webhook.connect(request).await,
            Self::Nats(nats) => nats.connect(request).await,
        }
    }

    /// Leaves word of a session that has ended; never waits. When too many wait to be told of,
    /// the oldest is forgotten and counted.
    pub fn disconnected(&self, session: Disconnected) {
        match self {
            Self::Webhook(webhook) => webhook.disconnected(session),
            Self::Nats(nats) => nats.disconnected(session),
        }
    }

    /// Waits until all sessions that have ended were told of, for so long at most. Returns
    /// whether all were.
    pub async fn finish(&self, within: Duration) -> bool {
        match self {
            Self::Webhook(webhook) => webhook.finish(within).await,
            Self::Nats(nats) => nats.finish(within).await,
        }
    }
}
