//! The application's backend, however it is reached.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use prometheus::Registry;
use serde_json::value::RawValue;
use sluice_backend::{
    AcceptedSession, Backend, BackendError, ConnectAnswer, ConnectRequest, Disconnected,
    EventAnswer, EventRequest, Handshake, NatsBackend, Webhook, webhook::Config,
};
use sluice_bucket::Connection;
use sluice_net::Cause;
use sluice_policy::{BackendVia, Identity, Policy};
use sluice_rooms::SessionId;
use sluice_spans::{failed, span};
use sluice_util::{lock, unix_millis, unix_seconds};
use tokio::runtime::Handle;
use tracing::Instrument as _;

use crate::{failure::Failure, operation::Content, outcome::raw};

/// Who an event, a connect or a disconnect is about.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) namespace: Arc<str>,
    pub(crate) user: Arc<str>,
    pub(crate) session: SessionId,
    /// What the backend said of the session when it was asked.
    pub(crate) data: Option<Arc<RawValue>>,
}

/// What the backend says of a session that it accepts.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    /// Its user, where the backend names one that the token does not.
    pub(crate) user: Option<Arc<str>>,
    /// What the backend is told with each of its events.
    pub(crate) data: Option<Arc<RawValue>>,
    /// When it ends, in seconds since 1970, where the backend says so.
    pub(crate) expires_at: Option<u64>,
}

impl Granted {
    /// Whose session it is that a client of this identity gets.
    pub(crate) fn apply(&self, identity: Identity) -> Identity {
        let identity = match &self.user {
            Some(user) => identity.named(Arc::clone(user), unix_seconds()),
            None => identity,
        };
        identity.until(self.ends_at())
    }

    /// When the session ends whatever token it has, in seconds since 1970.
    pub(crate) fn ends_at(&self) -> u64 {
        self.expires_at.unwrap_or(u64::MAX)
    }

    fn says_nothing(&self) -> bool {
        self.user.is_none() && self.data.is_none() && self.expires_at.is_none()
    }
}

/// A session that the backend accepts.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// The rooms that it is put into.
    pub(crate) rooms: Vec<Arc<str>>,
    /// Where the backend said more.
    pub(crate) granted: Option<Box<Granted>>,
}

impl Accepted {
    fn of(answer: AcceptedSession, user: &str) -> Result<Self, BackendError> {
        if answer.expires.is_some_and(|at| at <= unix_seconds()) {
            let what = "expires lies in the past".to_owned();
            return Err(BackendError::AnswerInvalid(what));
        }
        let named = answer.user.filter(|named| **named != *user);
        let granted = Granted {
            user: named.map(Arc::from),
            data: answer.data.as_deref().map(|data| Arc::from(raw(data))),
            expires_at: answer.expires,
        };
        Ok(Self {
            rooms: answer.rooms.into_iter().map(Arc::from).collect(),
            granted: (!granted.says_nothing()).then(|| Box::new(granted)),
        })
    }
}

#[derive(Default)]
struct Made {
    webhook: Option<Arc<Webhook>>,
    nats: Option<Arc<NatsBackend>>,
}

/// The backend of the policy that holds; there may be none.
pub(crate) struct CurrentBackend {
    backend: ArcSwapOption<Backend>,
    /// What was made, kept while a policy has none, for metrics can be registered only once.
    made: Mutex<Made>,
    connection: Option<Connection>,
    runtime: Handle,
    registry: Registry,
}

impl CurrentBackend {
    /// The backend that `policy` names, whose requests run on `runtime`, and over `connection`
    /// where they go over NATS.
    pub(crate) fn new(
        policy: &Policy,
        connection: Option<Connection>,
        runtime: &Handle,
        registry: &Registry,
    ) -> Self {
        let backend = Self {
            backend: ArcSwapOption::empty(),
            made: Mutex::default(),
            connection,
            runtime: runtime.clone(),
            registry: registry.clone(),
        };
        backend.configure(policy);
        backend
    }

    /// Lets another policy hold; requests that are under way end as they began.
    pub(crate) fn configure(&self, policy: &Policy) {
        let backend = policy
            .backend
            .as_ref()
            .and_then(|wanted| match &wanted.via {
                BackendVia::Nats => self.nats(wanted.timeout).map(Backend::Nats),
                BackendVia::Webhook { url, key } => {
                    self.webhook(url, key, wanted.timeout).map(Backend::Webhook)
                }
            });
        self.backend.store(backend.map(Arc::new));
    }

    fn nats(&self, timeout: Duration) -> Option<Arc<NatsBackend>> {
        let Some(connection) = &self.connection else {
            tracing::error!(
                "spec.backend.nats needs spec.backbone.nats, and a restart if that is new; until then events are refused"
            );
            return None;
        };
        let mut made = lock(&self.made);
        if let Some(nats) = &made.nats {
            nats.set_timeout(timeout);
            return Some(Arc::clone(nats));
        }
        let (client, names) = (connection.client().clone(), connection.names().clone());
        let runtime = self.runtime.clone();
        let nats = NatsBackend::new(client, names, timeout, runtime, &self.registry)
            .map_err(|error| tracing::error!(%error, "the backend over NATS cannot be set up"))
            .ok()?;
        Some(Arc::clone(made.nats.insert(Arc::new(nats))))
    }

    fn webhook(&self, url: &str, key: &[u8], timeout: Duration) -> Option<Arc<Webhook>> {
        let config = Config::new(url, key, timeout)
            .map_err(|error| tracing::error!(%error, "the webhook cannot be used; mend spec.backend.webhook"))
            .ok()?;
        let mut made = lock(&self.made);
        if let Some(webhook) = &made.webhook {
            webhook.set_config(config);
            return Some(Arc::clone(webhook));
        }
        let webhook = Webhook::new(config, self.runtime.clone(), &self.registry)
            .map_err(|error| tracing::error!(%error, "the webhook cannot be set up"))
            .ok()?;
        Some(Arc::clone(made.webhook.insert(Arc::new(webhook))))
    }

    /// Asks whether a session may begin, or go on, and in which rooms. A backend that cannot be
    /// reached refuses.
    pub(crate) async fn connect(
        &self,
        who: Who,
        recovered: bool,
        (protocol, handshake): (&'static str, Option<Handshake>),
        identity: &Identity,
    ) -> Result<Accepted, Failure> {
        let backend = self.backend.load_full().ok_or(Failure::NO_BACKEND)?;
        let request = ConnectRequest {
            namespace: who.namespace,
            user: who.user,
            session: who.session,
            recovered,
            protocol,
            claims: (!identity.is_anonymous()).then(|| raw(identity.claims())),
            handshake,
        };
        let span = span!(
            "backend",
            "otel.name" = "backend connect",
            "otel.kind" = "client"
        );
        let asked = backend.connect(request).instrument(span.clone()).await;
        match asked.inspect_err(|error| failed(&span, error.code().as_str()))? {
            ConnectAnswer::Accepted(answer) => Ok(Accepted::of(answer, identity.user())?),
            ConnectAnswer::Refused(refusal) => Err(Failure::of_application(refusal)),
        }
    }

    /// Tells that a session has ended; never waits.
    pub(crate) fn disconnected(&self, who: Who, cause: Cause) {
        if let Some(backend) = &*self.backend.load() {
            backend.disconnected(Disconnected {
                namespace: who.namespace,
                user: who.user,
                session: who.session,
                session_data: who.data,
                reason: cause.name().into(),
                time: unix_millis(),
            });
        }
    }

    /// Hands an event on.
    pub(crate) async fn event(
        &self,
        who: Who,
        content: Content<'static>,
        ack_expected: bool,
    ) -> Result<EventAnswer, Failure> {
        let backend = self.backend.load_full().ok_or(Failure::NO_BACKEND)?;
        let data: Box<RawValue> = raw(&content.data);
        let span = span!(
            "backend",
            "otel.name" = "backend event",
            "otel.kind" = "client"
        );
        let request = EventRequest {
            namespace: who.namespace,
            event: content.event.into(),
            user: who.user,
            session: who.session,
            session_data: who.data,
            data,
            attachments: content.attachments,
            ack_expected,
        };
        let answer = backend.event(request).instrument(span.clone()).await;
        Ok(answer.inspect_err(|error| failed(&span, error.code().as_str()))?)
    }

    /// Tells what is still to be told, at the end.
    pub(crate) async fn finish(&self, within: Duration) {
        if let Some(backend) = self.backend.load_full()
            && !backend.finish(within).await
        {
            tracing::warn!("the backend was not told of all sessions that ended");
        }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            BackendError::Refused { own: Some(own), .. } => Self::of_application(*own),
            _ => Self::new(code, message),
        }
    }
}
