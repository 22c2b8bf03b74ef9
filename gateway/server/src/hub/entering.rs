//! How a session begins, or goes on over a new connection.
//!
//! What a client may have is reserved first: the session that it had waits on this worker. Then
//! whoever has a say in it says yes. Only after that is it the client's, and nothing waits any more
//! but for what it missed. Wherever this ends early, by a refusal, a drain, or a client that is
//! gone or asks for something else meanwhile, all is put back: an earlier session waits for its
//! client as before, and of a new one nothing is kept.

mod undoing;

use std::{rc::Rc, sync::Arc};

use sluice_backbone::Claim;
use sluice_backend::Handshake;
use sluice_policy::Identity;
use sluice_rooms::{Pid, SessionId};
use sluice_spans::{brief, failed, span};
use tracing::{
    Instrument as _,
    field::{Empty, display},
};

use self::undoing::{Asked, Place};
use super::{Hub, Knock, Outlet, Session, application::Denied, recovery::Reserved};
use crate::{
    backend::{Accepted, Who},
    failure::Failure,
    handshake,
};

/// A client that is in. [`Hub::attach`] must follow at once: until then its session has no
/// connection and would lose what is sent to it.
pub(crate) struct Entered {
    pub(crate) session: Rc<Session>,
    pub(crate) recovered: bool,
    /// The rooms that the backend puts it into.
    rooms: Vec<Arc<str>>,
}

/// Why a client is not let in.
enum Stop {
    Refused(Failure),
    /// Nobody waits for the answer any more.
    Unwanted,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl Hub {
    /// Lets a client in, or says why not. Ready at once unless a key set has to be read, a backend
    /// asked, or another worker. None where `wanted`, which says whether the client still waits
    /// for this answer, says no: then nothing is left of the attempt.
    pub(crate) async fn enter(
        self: Rc<Self>,
        knock: Knock,
        wanted: impl Fn() -> bool,
    ) -> Result<Option<Entered>, Failure> {
        let span = span!(
            "connect",
            protocol = knock.protocol,
            namespace = brief(&knock.namespace),
            user = Empty,
            session = Empty,
            recovered = Empty
        );
        let entered = self.try_enter(&knock, &wanted).instrument(span.clone());
        match entered.await {
            Ok(entered) => {
                span.record("user", display(entered.session.user()));
                span.record("session", display(entered.session.id));
                span.record("recovered", entered.recovered);
                Ok(Some(entered))
            }
            Err(Stop::Unwanted) => Ok(None),
            Err(Stop::Refused(failure)) => {
                self.counters.refused(&failure);
                failed(&span, failure.counted());
                Err(failure)
            }
        }
    }

    async fn try_enter(
        self: &Rc<Self>,
        knock: &Knock,
        wanted: &impl Fn() -> bool,
    ) -> Result<Entered, Stop> {
        if self.shared.admission.is_draining() {
            return Err(Failure::DRAINING.into());
        }
        let identity = self.identify(knock.token.as_deref()).await;
        if identity.is_err() && knock.token.is_some() {
            self.charge_bad_token(knock);
        }
        let identity = identity?;
        let application = self
            .policy
            .borrow()
            .application_of(&knock.namespace)
            .cloned();
        if let Some(application) = application {
            return self
                .begin_attached(knock, identity, &application, wanted)
                .await;
        }
        if let Some(entered) = self.go_on(knock, &identity, wanted).await? {
            return Ok(entered);
        }
        self.begin(knock, identity, wanted).await
    }

    fn charge_bad_token(&self, knock: &Knock) {
        if let Some(address) = knock.address {
            let admission = &self.shared.admission;
            admission.charge_bad_token(&self.policy.borrow(), address);
        }
    }

    /// Gives a client the session that it had; none where it cannot be had.
    async fn go_on(
        self: &Rc<Self>,
        knock: &Knock,
        identity: &Identity,
        wanted: &impl Fn() -> bool,
    ) -> Result<Option<Entered>, Stop> {
        let Some((claim, mut reserved)) = self.reserve(knock, identity).await else {
            return Ok(None);
        };
        let id = claim.pid.session();
        if self.asks_backend() {
            reserved = self.put_back(&claim, knock, identity, reserved);
        }
        let asked = self.ask_backend(knock, id, true, identity).await?;
        let granted = asked.identity(identity);
        if granted.user() != identity.user() {
            // The backend knows the client as somebody else, whose session this is not.
            return Ok(None);
        }
        let place = match self.count_in(&granted, true, wanted) {
            Ok(place) => place,
            Err(stop) => {
                self.put_back(&claim, knock, identity, reserved);
                return Err(stop);
            }
        };
        let Some(record) = self.take(&claim, reserved).await else {
            return Ok(None);
        };
        let session = self.session_of(claim.pid, knock, granted);
        if !self.resume(&session, record, claim.read).await {
            self.shared.backbone.forget(id);
            return Ok(None);
        }
        if let Err(stop) = self.check_wanted(wanted) {
            self.keep(&session);
            return Err(stop);
        }
        Ok(Some(self.register(session, true, asked, place)))
    }

    /// Gives a client a new session.
    async fn begin(
        self: &Rc<Self>,
        knock: &Knock,
        identity: Identity,
        wanted: &impl Fn() -> bool,
    ) -> Result<Entered, Stop> {
        let pid = Pid::random();
        let asked = self
            .ask_backend(knock, pid.session(), false, &identity)
            .await?;
        let granted = asked.identity(&identity);
        if granted.user() != identity.user()
            && let Some(entered) = self.go_on(knock, &granted, wanted).await?
        {
            return Ok(entered);
        }
        let place = self.count_in(&granted, false, wanted)?;
        let session = self.session_of(pid, knock, granted);
        Ok(self.register(session, false, asked, place))
    }

    /// Gives a client a new session of an application.
    async fn begin_attached(
        self: &Rc<Self>,
        knock: &Knock,
        identity: Identity,
        application: &Arc<str>,
        wanted: &impl Fn() -> bool,
    ) -> Result<Entered, Stop> {
        let returning = self.returning(knock, &identity, application).await;
        let mut returns = returning.is_some();
        let ask = async |returning| {
            let asked =
                self.ask_application(knock, identity.clone(), application, returning, wanted);
            asked.await.map_err(|denied| match denied {
                Denied::Failed(failure) => Stop::Refused(failure),
                Denied::Unwanted => Stop::Unwanted,
            })
        };
        let mut attempted = ask(returning).await?;
        if attempted.lacks() {
            // It was forgotten while the instance was asked. The client begins anew.
            self.counters.not_recovered(sluice_backbone::Error::Gone);
            drop(attempted);
            returns = false;
            attempted = ask(None).await?;
        }
        if attempted.is_claimed() {
            return Err(Stop::Unwanted);
        }
        let place = self.count_in(&identity, returns, wanted)?;
        self.counters.recovered.add(returns.into());
        let session = attempted.keep();
        Ok(self.register(session, returns, Asked::nobody(), place))
    }

    /// Has a session that was claimed wait here for its client.
    fn put_back(
        self: &Rc<Self>,
        claim: &Claim,
        knock: &Knock,
        identity: &Identity,
        reserved: Reserved,
    ) -> Reserved {
        if let Reserved::Taken(record) = reserved {
            let session = self.session_of(claim.pid, knock, identity.clone());
            self.hold(&session, &record);
        }
        Reserved::Here
    }

    fn check_wanted(&self, wanted: &impl Fn() -> bool) -> Result<(), Stop> {
        if !wanted() {
            return Err(Stop::Unwanted);
        }
        if self.shared.admission.is_draining() {
            return Err(Failure::DRAINING.into());
        }
        Ok(())
    }

    fn asks_backend(&self) -> bool {
        let policy = self.policy.borrow();
        policy.backend.as_ref().is_some_and(|b| b.ask_on_connect)
    }

    /// Asks the backend about the session that the client will have, if it is to be asked.
    async fn ask_backend(
        self: &Rc<Self>,
        knock: &Knock,
        session: SessionId,
        recovered: bool,
        identity: &Identity,
    ) -> Result<Asked, Failure> {
        if !self.asks_backend() {
            return Ok(Asked::nobody());
        }
        let who = Who {
            namespace: (*knock.namespace).into(),
            user: Arc::clone(identity.user()),
            session,
            data: None,
        };
        let client = (knock.protocol, self.told_to_backend(knock));
        let backend = &self.shared.backend;
        let accepted = backend
            .connect(who.clone(), recovered, client, identity)
            .await?;
        let granted = accepted.granted.as_ref();
        let who = Who {
            user: granted
                .and_then(|granted| granted.user.clone())
                .unwrap_or(who.user),
            data: granted.and_then(|granted| granted.data.clone()),
            ..who
        };
        Ok(Asked::about(who, accepted, self))
    }

    /// What the backend is told of a client's request.
    fn told_to_backend(&self, knock: &Knock) -> Option<Handshake> {
        let policy = self.policy.borrow();
        let named = policy.backend.as_ref()?.handshake.as_ref()?;
        let kept = knock.handshake.as_ref()?;
        Some(Handshake {
            request: Arc::new(handshake::told(&kept.request, Some(named))),
            auth: kept.auth.clone(),
        })
    }

    /// Counts a session into its user's, if all that may have changed while it waited allows it.
    /// One that comes back may still be counted for a moment where it was.
    fn count_in(
        &self,
        identity: &Identity,
        returns: bool,
        wanted: &impl Fn() -> bool,
    ) -> Result<Place, Stop> {
        self.check_wanted(wanted)?;
        self.refuse_revoked(identity, None).map_err(Failure::from)?;
        if identity.is_anonymous() {
            return Ok(Place::uncounted());
        }
        let most = self.policy.borrow().limits.connections_per_user;
        let most = most.saturating_add(u32::from(returns));
        let place = Place::of(identity.user(), most, &self.shared.backbone);
        Ok(place.map_err(Failure::from)?)
    }

    pub(super) fn session_of(&self, pid: Pid, knock: &Knock, identity: Identity) -> Rc<Session> {
        let holder = self.shared.admission.holders.of(&identity, knock.address);
        let namespace = self.namespace(&knock.namespace);
        let session = Session::new(pid, namespace, identity, holder);
        session.set_came(knock.read.reading());
        session
    }

    /// Makes a session the client's.
    fn register(
        self: &Rc<Self>,
        session: Rc<Session>,
        recovered: bool,
        asked: Asked,
        place: Place,
    ) -> Entered {
        place.keep();
        let bucket = self
            .shared
            .admission
            .holders
            .take_bucket(session.holder, self.now_ms());
        session.bucket.set(bucket);
        let Accepted { rooms, granted } = asked.keep();
        if let Some(granted) = granted {
            session.set_granted(granted);
        }
        self.add_session(&session);
        self.watch_token(&session);
        Entered {
            session,
            recovered,
            rooms,
        }
    }

    /// Has a session found by its id and its user.
    pub(super) fn add_session(&self, session: &Rc<Session>) {
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
