//! Whether an application lets a client in.

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::value::{RawValue, to_raw_value};
use sluice_applications::{Application, Instance};
use sluice_contract::application::{Accept, Connect, Entry, Handshake, Refuse, Why};
use sluice_policy::{Identity, Policy};
use sluice_rooms::Pid;
use sluice_util::unix_millis;
use tokio::{sync::oneshot, time::timeout};

use super::{
    super::{
        Hub, Knock, Session,
        attached::{Admitted, Origin, State},
    },
    Attached,
    returning::Returning,
};
use crate::{failure::Failure, handshake};

/// How long a client waits for an instance to be there.
const PRESENT_WITHIN: Duration = Duration::from_secs(10);

/// How long an instance may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(45);

/// How often it is looked whether the client still waits.
const LOOK: Duration = Duration::from_millis(250);

/// Why nobody was let in.
pub(in crate::hub) enum Denied {
    Failed(Failure),
    /// Nobody waits for the answer any more.
    Unwanted,
}

/// A session whose client is not in yet. Where it does not come in, nothing of it is left.
pub(in crate::hub) struct Attempted {
    hub: Rc<Hub>,
    session: Rc<Session>,
    kept: bool,
}

impl Attempted {
    /// Whether another connection of its client has claimed its session meanwhile.
    pub(in crate::hub) fn is_claimed(&self) -> bool {
        let attached = self.session.attached();
        attached.is_some_and(|attached| attached.claimed.get())
    }

    /// Whether its client came back and missed more than can be given to it.
    pub(in crate::hub) fn lacks(&self) -> bool {
        let attached = self.session.attached();
        attached.is_some_and(|attached| attached.missed.borrow().is_err())
    }

    /// The client is in.
    pub(in crate::hub) fn keep(mut self) -> Rc<Session> {
        self.kept = true;
        Rc::clone(&self.session)
    }
}

impl Drop for Attempted {
    fn drop(&mut self) {
        let mut returning = self.hub.attached.returning.borrow_mut();
        if returning
            .get(&self.session.id)
            .is_some_and(|known| Rc::ptr_eq(known, &self.session))
        {
            returning.remove(&self.session.id);
        }
        drop(returning);
        if !self.kept {
            self.hub.cancel(&self.session);
        }
    }
}

impl Hub {
    /// Asks an instance of the application whether a client may come in. Its session is the
    /// client's once [`Attempted::keep`] was called.
    pub(in crate::hub) async fn ask_application(
        self: &Rc<Self>,
        knock: &Knock,
        identity: Identity,
        name: &Arc<str>,
        returning: Option<Returning>,
        wanted: &impl Fn() -> bool,
    ) -> Result<Attempted, Denied> {
        let Some(application) = self.shared.applications.get(name) else {
            return Err(Denied::Failed(Failure::NO_INSTANCE));
        };
        self.attached.workers.set(application.workers());
        let pid = returning.as_ref().map_or_else(Pid::random, |it| it.pid);
        let session = self.session_of(pid, knock, identity);
        let attached = Attached::new(self.next_handle(), Arc::clone(name), {
            let policy = self.policy.borrow();
            origin(&policy, name, knock)
        });
        let handle = attached.handle;
        if let Some(returning) = returning {
            returning.put_into(&attached);
        }
        let returns = attached.returned.get().is_some();
        session.set_attached(attached);
        self.add_attached(handle, &session);
        if returns {
            let mut returning = self.attached.returning.borrow_mut();
            returning.insert(session.id, Rc::clone(&session));
        }
        let attempted = Attempted {
            hub: Rc::clone(self),
            session: Rc::clone(&session),
            kept: false,
        };
        self.accepted_by(&session, &application, wanted).await?;
        Ok(attempted)
    }

    fn add_attached(&self, handle: u64, session: &Rc<Session>) {
        self.counters.attached.add(1);
        let mut sessions = self.attached.by_handle.borrow_mut();
        sessions.insert(handle, Rc::clone(session));
    }

    async fn accepted_by(
        self: &Rc<Self>,
        session: &Session,
        application: &Application,
        wanted: &impl Fn() -> bool,
    ) -> Result<(), Denied> {
        let began = Instant::now();
        loop {
            let instance = self.instance(application, began, wanted).await?;
            let why = session
                .attached()
                .and_then(|attached| attached.returned.get());
            let why = why.map_or(Why::New, |_| Why::Recovered);
            let answer = ask(session, &instance, why);
            match self.answer_of(answer, wanted).await? {
                Some(Ok(())) => return Ok(()),
                Some(Err(refuse)) => return Err(Denied::Failed(refused(refuse))),
                // The instance has gone; another one is asked.
                None => {}
            }
        }
    }

    /// An instance, as soon as there is one.
    async fn instance(
        &self,
        application: &Application,
        began: Instant,
        wanted: &impl Fn() -> bool,
    ) -> Result<Arc<Instance>, Denied> {
        loop {
            if let Some(instance) = application.pick() {
                return Ok(instance);
            }
            if began.elapsed() > PRESENT_WITHIN {
                return Err(Denied::Failed(Failure::NO_INSTANCE));
            }
            // Whether in time or not, it is looked again.
            let _ = timeout(LOOK, self.attached.present.notified()).await;
            if !wanted() {
                return Err(Denied::Unwanted);
            }
        }
    }

    async fn answer_of(
        &self,
        mut answer: oneshot::Receiver<Admitted>,
        wanted: &impl Fn() -> bool,
    ) -> Result<Option<Admitted>, Denied> {
        let began = Instant::now();
        while began.elapsed() < ANSWER_WITHIN {
            if let Ok(answer) = timeout(LOOK, &mut answer).await {
                return Ok(answer.ok());
            }
            if !wanted() {
                return Err(Denied::Unwanted);
            }
        }
        Err(Denied::Failed(Failure::APPLICATION_SILENT))
    }

    /// An instance lets a client in: what is said to its session from here on concerns it, also
    /// before the client knows.
    pub(super) fn accepted(&self, session: &Rc<Session>, attached: &Attached, accept: Accept) {
        let namespace = self.attached.namespace(&session.namespace.name);
        let seq = self.attached.seq.get();
        self.begin_trail(attached, &accept.rooms, seq);
        namespace.add(session, attached);
        attached.rooms.take();
        for room in &accept.rooms {
            namespace.join(session, attached, room, seq);
        }
        if accept.data.is_some() || attached.returned.get().is_none() {
            *attached.data.borrow_mut() = accept.data;
        }
        self.find_missed(session, attached, seq);
    }

    fn cancel(&self, session: &Session) {
        if let Some(attached) = session.attached() {
            if let Some(instance) = attached.instance() {
                // An instance that takes nothing more does not let anybody in either.
                let _ = instance.say(0, &Entry::new("cancel").number(attached.handle));
            }
            if attached.returned.get().is_some() && !attached.claimed.get() {
                // Its client may come again.
                self.keep_absent(session, attached);
            }
            self.forget_attached(session, attached);
        }
    }
}

fn ask(session: &Session, instance: &Arc<Instance>, why: Why) -> oneshot::Receiver<Admitted> {
    let (sender, answer) = oneshot::channel();
    if let Some(attached) = session.attached() {
        attached.state.replace(State::Asking(sender));
        attached.instance.replace(Some(Arc::clone(instance)));
        offer(session, attached, instance, why);
    }
    answer
}

/// Says to an instance whose session is to be attached to it. False where it takes nothing more.
pub(super) fn offer(
    session: &Session,
    attached: &Attached,
    instance: &Arc<Instance>,
    why: Why,
) -> bool {
    let identity = session.identity.borrow();
    let claims = (!identity.is_anonymous())
        .then(|| serde_json::from_str::<&RawValue>(identity.claims()).ok());
    let (rooms, data) = (attached.rooms.borrow(), attached.data.borrow());
    let connect = Connect {
        session: &session.id.to_string(),
        connection: attached.origin.connection,
        namespace: &session.namespace.name,
        user: identity.user(),
        claims: claims.flatten(),
        auth: attached.origin.auth.as_deref(),
        handshake: &attached.origin.handshake,
        transport: attached.origin.transport,
        why,
        rooms: &rooms,
        data: data.as_deref(),
        rev: attached.rev.get(),
    };
    let json = serde_json::to_vec(&connect).unwrap_or_default();
    let entry = Entry::new("connect").number(attached.handle).body(&json);
    instance.say(0, &entry).is_ok()
}

fn refused(refuse: Refuse) -> Failure {
    Failure::in_words_of_application(refuse.message, refuse.data)
}

/// What the application is told of a client: the parts of its request that are named for it, where
/// cookies are a header again.
fn origin(policy: &Policy, application: &str, knock: &Knock) -> Origin {
    let named = policy.application_handshake(application);
    let kept = knock.handshake.as_ref();
    let request = kept.map(|kept| handshake::told(&kept.request, named));
    let mut headers = BTreeMap::new();
    let mut query = BTreeMap::new();
    if let Some(request) = request {
        let cookies = request.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            headers.insert("cookie".into(), cookies.join("; "));
        }
        headers.extend(request.headers);
        query = request.query;
    }
    let handshake = Handshake {
        headers,
        query,
        address: knock
            .address
            .map(|address| address.to_string().into())
            .unwrap_or_default(),
        time: unix_millis(),
    };
    Origin {
        handshake: to_raw_value(&handshake).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        auth: kept.and_then(|kept| kept.auth.clone()),
        transport: knock.transport,
        connection: knock.connection,
    }
}
