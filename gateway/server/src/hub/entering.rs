//! How a session begins.

use std::{rc::Rc, sync::Arc};

use sluice_policy::{AuthError, Identity};
use sluice_rooms::{Pid, Position, SessionId};

use super::{Hub, Session, recovery::Recovery, timers::Timer};
use crate::{backend::Who, failure::Failure, shared::unix_now};

/// A client that wants in.
#[derive(Debug, Default)]
pub(crate) struct Knock {
    pub(crate) namespace: Box<str>,
    /// `socketio` or `websocket`.
    pub(crate) protocol: &'static str,
    pub(crate) token: Option<Box<str>>,
    /// The session it says it had, and the last position it knows of there.
    pub(crate) pid: Option<Pid>,
    pub(crate) position: Option<Position>,
}

/// A client that is in. Its session has no connection yet.
pub(crate) struct Entered {
    pub(crate) session: Rc<Session>,
    pub(crate) recovered: bool,
}

impl Hub {
    /// Lets a client in, or says why not. Ready at once unless a key set has to be read, a backend
    /// asked, or another worker.
    pub(crate) async fn enter(self: Rc<Self>, knock: Knock) -> Result<Entered, Failure> {
        let entered = self.try_enter(knock).await;
        if let Err(failure) = &entered {
            self.counters.failed(&failure.code);
            tracing::debug!(code = %failure.code, "a client was refused");
        }
        entered
    }

    async fn try_enter(self: &Rc<Self>, knock: Knock) -> Result<Entered, Failure> {
        if self.shared.is_draining() {
            return Err(Failure::DRAINING);
        }
        let identity = self.identify(knock.token.as_deref()).await?;
        let fresh = Pid::random();
        let rooms = self.ask_backend(&knock, fresh, &identity).await?;
        let user = Arc::clone(identity.user());
        if !identity.is_anonymous() {
            let most = self.policy().limits.connections_per_user;
            self.shared.backbone.enter(&user, most)?;
        }
        let recovery = self.recover(&knock, &user).await;
        let entered = self.begin(&knock, fresh, identity, recovery).await;
        self.put_into(&entered.session, rooms).await;
        Ok(entered)
    }

    /// Checks a token. Where its key is not known, the key set is read again, once.
    pub(super) async fn identify(&self, token: Option<&str>) -> Result<Identity, Failure> {
        let policy = self.policy();
        let Some(token) = token else {
            if policy.auth.required {
                return Err(AuthError::Missing.into());
            }
            return Ok(Identity::anonymous());
        };
        let Some(auth) = &policy.auth.tokens else {
            return Ok(Identity::anonymous());
        };
        let identity = match (auth.authenticate(token, unix_now()), auth.jwks()) {
            (Err(AuthError::UnknownKey), Some(jwks)) => {
                jwks.refresh().await;
                auth.authenticate(token, unix_now())
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
    ) -> Result<(), Failure> {
        let revocations = &self.shared.revocations;
        let revocations = revocations
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let session = session.map(|session| session.to_string());
        Ok(revocations.check(identity, session.as_deref(), unix_now())?)
    }

    /// The rooms that the backend puts the session into, if it is to be asked.
    async fn ask_backend(
        &self,
        knock: &Knock,
        fresh: Pid,
        identity: &Identity,
    ) -> Result<Vec<Arc<str>>, Failure> {
        if !self
            .policy()
            .backend
            .as_ref()
            .is_some_and(|backend| backend.ask_on_connect)
        {
            return Ok(Vec::new());
        }
        let who = Who {
            namespace: (*knock.namespace).into(),
            user: Arc::clone(identity.user()),
            session: knock.pid.unwrap_or(fresh).session(),
        };
        self.shared
            .backend
            .connect(who, knock.protocol, identity)
            .await
    }

    async fn begin(
        self: &Rc<Self>,
        knock: &Knock,
        fresh: Pid,
        identity: Identity,
        recovery: Recovery,
    ) -> Entered {
        let namespace = self.namespace(&knock.namespace);
        if let (Recovery::Found(record), Some(pid)) = (recovery, knock.pid) {
            let session = Session::new(pid, Rc::clone(&namespace), identity.clone());
            if self.resume(&session, record, knock.position).await {
                self.register(&session);
                return Entered {
                    session,
                    recovered: true,
                };
            }
        }
        let session = Session::new(fresh, namespace, identity);
        self.register(&session);
        Entered {
            session,
            recovered: false,
        }
    }

    fn register(self: &Rc<Self>, session: &Rc<Session>) {
        self.counters.sessions.add(1);
        self.sessions
            .borrow_mut()
            .insert(session.id, Rc::clone(session));
        let mut users = self.users.borrow_mut();
        users
            .entry(session.user())
            .or_default()
            .push(Rc::clone(session));
        drop(users);
        self.watch_token(session);
    }

    /// Has the session end when its token does, and the client's time to refresh it.
    pub(super) fn watch_token(&self, session: &Session) {
        let expires_at = session.identity.borrow().expires_at();
        if expires_at == u64::MAX {
            return;
        }
        let grace = self.policy().auth.refresh_grace.as_secs();
        let left = expires_at.saturating_add(grace).saturating_sub(unix_now());
        self.schedule_ms(left.saturating_mul(1000), Timer::Token(session.id));
    }

    async fn put_into(self: &Rc<Self>, session: &Rc<Session>, rooms: Vec<Arc<str>>) {
        for name in rooms {
            if let Ok(room) = self.room(&session.namespace, &name) {
                // A room that is full is left out; the backend sees who is in it.
                let _ = self.admit(session, &room).await;
            }
        }
    }
}
