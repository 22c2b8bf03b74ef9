//! How a session begins.

use std::{rc::Rc, sync::Arc};

use sluice_policy::{AuthError, Identity};
use sluice_rooms::{Pid, SessionId};
use sluice_spans::{brief, failed, span};
use sluice_util::read;
use sluice_util::unix_seconds;
use tracing::{
    Instrument as _,
    field::{Empty, display},
};

use super::{Hub, Knock, Outlet, Session, recovery::Recovery};
use crate::{backend::Who, failure::Failure};

/// A client that is in. [`Hub::attach`] must follow at once: until then its session has no
/// connection and would lose what is sent to it.
pub(crate) struct Entered {
    pub(crate) session: Rc<Session>,
    pub(crate) recovered: bool,
    /// The rooms that the backend puts it into.
    rooms: Vec<Arc<str>>,
}

impl Hub {
    /// Lets a client in, or says why not. Ready at once unless a key set has to be read, a backend
    /// asked, or another worker.
    pub(crate) async fn enter(self: Rc<Self>, knock: Knock) -> Result<Entered, Failure> {
        let span = span!(
            "connect",
            protocol = knock.protocol,
            namespace = brief(&knock.namespace),
            user = Empty,
            session = Empty,
            recovered = Empty
        );
        let entered = self.try_enter(knock).instrument(span.clone()).await;
        match &entered {
            Ok(Entered {
                session, recovered, ..
            }) => {
                span.record("user", display(session.user()));
                span.record("session", display(session.id));
                span.record("recovered", recovered);
            }
            Err(failure) => {
                self.counters.refused(failure);
                failed(&span, failure.counted());
                tracing::debug!(code = failure.code(), "a client was refused");
            }
        }
        entered
    }

    async fn try_enter(self: &Rc<Self>, knock: Knock) -> Result<Entered, Failure> {
        if self.shared.admission.is_draining() {
            return Err(Failure::DRAINING);
        }
        let identity = self.identify(knock.token.as_deref()).await?;
        let fresh = Pid::random();
        let rooms = self.ask_backend(&knock, fresh, &identity).await?;
        // The session may still have a connection, which counts against its user's until it goes.
        let recovery = self.recover(&knock, &identity).await;
        let returns = matches!(recovery, Recovery::Found(_));
        if let Err(failure) = self.count_in(&identity, returns) {
            self.let_go(recovery, identity.user());
            return Err(failure);
        }
        let (session, recovered) = self.begin(&knock, fresh, identity, recovery).await;
        self.register(&session);
        Ok(Entered {
            session,
            recovered,
            rooms,
        })
    }

    /// Checks a token. Where its key is not known, the key set is read again, once.
    pub(super) async fn identify(&self, token: Option<&str>) -> Result<Identity, Failure> {
        let span = span!("authenticate");
        let identity = self.authenticate(token).instrument(span.clone()).await;
        if let Err(error) = &identity {
            failed(&span, error.code().as_str());
        }
        self.counters.authenticated(match &identity {
            Ok(identity) if identity.is_anonymous() => "anonymous",
            Ok(_) => "accepted",
            Err(error) => error.code().as_str(),
        });
        Ok(identity?)
    }

    async fn authenticate(&self, token: Option<&str>) -> Result<Identity, AuthError> {
        let policy = self.policy();
        let Some(token) = token else {
            let anonymous = (!policy.auth.required).then(Identity::anonymous);
            return anonymous.ok_or(AuthError::Missing);
        };
        let Some(auth) = &policy.auth.tokens else {
            return Ok(Identity::anonymous());
        };
        let identity = match (auth.authenticate(token, unix_seconds()), auth.jwks()) {
            (Err(AuthError::UnknownKey), Some(jwks)) => {
                jwks.refresh().await;
                auth.authenticate(token, unix_seconds())
            }
            (identity, _) => identity,
        }?;
        self.refuse_revoked(&identity, None)?;
        Ok(identity)
    }

    pub(super) fn refuse_revoked(
        &self,
        identity: &Identity,
        session: Option<SessionId>,
    ) -> Result<(), AuthError> {
        let revocations = read(&self.shared.revocations);
        let session = session.map(|session| session.to_string());
        revocations.check(identity, session.as_deref(), unix_seconds())
    }

    /// The rooms that the backend puts the session into, if it is to be asked.
    async fn ask_backend(
        &self,
        knock: &Knock,
        fresh: Pid,
        identity: &Identity,
    ) -> Result<Vec<Arc<str>>, Failure> {
        let policy = self.policy();
        if !policy.backend.as_ref().is_some_and(|b| b.ask_on_connect) {
            return Ok(Vec::new());
        }
        let who = Who {
            namespace: (*knock.namespace).into(),
            user: Arc::clone(identity.user()),
            session: knock.pid.unwrap_or(fresh).session(),
        };
        let backend = &self.shared.backend;
        backend.connect(who, knock.protocol, identity).await
    }

    /// Counts a session into its user's, if all that may have changed while it waited allows it.
    /// One that comes back may still be counted for a moment where it was.
    fn count_in(&self, identity: &Identity, returns: bool) -> Result<(), Failure> {
        if self.shared.admission.is_draining() {
            return Err(Failure::DRAINING);
        }
        self.refuse_revoked(identity, None)?;
        if !identity.is_anonymous() {
            let most = self.policy.borrow().limits.connections_per_user;
            let most = most.saturating_add(u32::from(returns));
            self.shared.backbone.enter(identity.user(), most)?;
        }
        Ok(())
    }

    async fn begin(
        self: &Rc<Self>,
        knock: &Knock,
        fresh: Pid,
        identity: Identity,
        recovery: Recovery,
    ) -> (Rc<Session>, bool) {
        let namespace = self.namespace(&knock.namespace);
        if let (Recovery::Found(record), Some(pid)) = (recovery, knock.pid) {
            let session = Session::new(pid, Rc::clone(&namespace), identity.clone());
            session.set_came(knock.read.reading());
            if self
                .resume(&session, record, knock.read.reading().cloned())
                .await
            {
                return (session, true);
            }
        }
        let session = Session::new(fresh, namespace, identity);
        session.set_came(knock.read.reading());
        (session, false)
    }

    fn register(self: &Rc<Self>, session: &Rc<Session>) {
        self.counters.sessions.add(1);
        self.sessions
            .borrow_mut()
            .insert(session.id, Rc::clone(session));
        // Those without a user have none to be found by, and there may be very many of them.
        if !session.identity.borrow().is_anonymous() {
            let mut users = self.users.borrow_mut();
            users
                .entry(session.user())
                .or_default()
                .push(Rc::clone(session));
        }
        self.watch_token(session);
    }

    /// Gives a session its connection. The rooms that the backend puts it into follow as soon as
    /// its client was told that it is connected.
    pub(crate) fn attach(self: &Rc<Self>, entered: Entered, outlet: Outlet) -> Rc<Session> {
        let Entered {
            session,
            recovered,
            rooms,
        } = entered;
        self.counters.opened.add(1);
        *session.outlet.borrow_mut() = outlet;
        let (user, protocol) = (session.user(), session.protocol());
        tracing::debug!(session = %session.id, %user, namespace = %session.namespace.name,
            protocol, recovered, "a session has a connection");
        let state = if recovered { "recovered" } else { "opened" };
        self.trace_session(state, &session, None);
        self.save_soon(&session);
        if !rooms.is_empty() {
            tokio::task::spawn_local(Rc::clone(self).put_into(Rc::clone(&session), rooms));
        }
        session
    }

    async fn put_into(self: Rc<Self>, session: Rc<Session>, rooms: Vec<Arc<str>>) {
        for name in &rooms {
            if let Ok(room) = self.room(&session.namespace, name) {
                // A room that is full is left out; the backend sees who is in it.
                let _ = self.admit(&session, &room).await;
            }
        }
    }
}
