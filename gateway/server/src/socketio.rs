//! The gateway as Socket.IO clients see it.

use std::{borrow::Cow, cell::Cell, rc::Rc};

use http::request::Parts;
use serde::Deserialize;
use sluice_contract::Code;
use sluice_engineio::Refusal;
use sluice_net::{Cause, Flow, Peer};
use sluice_policy::{Rate, TokenBucket};
use sluice_rooms::Pid;
use sluice_socketio::{
    Accepted, Attempt, Carrier, Client, Connect, Event, Handler, Refused, Reply,
};
use sluice_util::Digest64;

use crate::{
    admission::{Admitted, origin_allowed},
    eager,
    failure::Failure,
    hub::{Answer, ClientPosition, Entered, Hub, Knock, Outlet, Session},
    operation::Operation,
    outcome,
};

/// Socket.IO on one worker.
pub(crate) struct SocketIoFront {
    pub(crate) hub: Rc<Hub>,
}

/// How many CONNECTs of a connection may be refused in a second, or at once: each can cost the check
/// of a signature, and a question to the backend.
const REFUSALS: u32 = 16;

/// How many more for each namespace that there is: a client may ask for all of them at once, and
/// come back to each.
const REFUSALS_PER_NAMESPACE: u32 = 2;

/// So many CONNECTs count as much as one that is refused.
const CONNECTS_PER_REFUSAL: u32 = 16;

/// What is kept of a connection: its place in the counts, and the token it may have brought.
pub(crate) struct Link {
    admitted: Admitted,
    connects: Cell<TokenBucket>,
}

/// What a client sends along when it asks for a namespace.
#[derive(Deserialize, Default)]
struct Auth<'a> {
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    offset: Option<Cow<'a, str>>,
}

impl SocketIoFront {
    fn knock(
        &self,
        carrier: &Carrier<Self>,
        namespace: &str,
        json: &str,
    ) -> Result<Knock, Failure> {
        let admitted = &carrier.state().link().admitted;
        let auth: Auth<'_> = match json {
            "" => Auth::default(),
            json => serde_json::from_str(json).map_err(|e| {
                Failure::arguments(format!("the auth payload is not as expected: {e}"))
            })?,
        };
        let bearer = || admitted.bearer.clone();
        Ok(Knock {
            namespace: namespace.into(),
            protocol: "socketio",
            connection: number_of(carrier),
            transport: if carrier.is_polling() {
                "polling"
            } else {
                "websocket"
            },
            address: Some(admitted.address),
            handshake: admitted.handshake(&self.hub.policy(), json),
            token: auth.token.map(Box::from).or_else(bearer),
            pid: auth.pid.as_deref().and_then(Pid::parse),
            read: ClientPosition::parse(auth.offset.as_deref()),
            offset: auth.offset.as_deref().map(Box::from),
        })
    }

    /// Charges a connection for its CONNECTs. The error says how one ends that has too many.
    fn charge(&self, carrier: &Carrier<Self>, connects: u32) -> Result<(), Cause> {
        let namespaces = self.hub.policy().namespaces.len() as u32;
        let refusals = REFUSALS + REFUSALS_PER_NAMESPACE * namespaces;
        let rate = Rate::per_second(refusals * CONNECTS_PER_REFUSAL);
        let budget = &carrier.state().link().connects;
        let mut bucket = budget.get();
        let fine = bucket.take_many(self.hub.now_ms(), rate, connects);
        budget.set(bucket);
        if fine {
            return Ok(());
        }
        self.hub.counters.failed(Code::TooManyConnects);
        Err(Code::TooManyConnects.cause())
    }

    /// How the connection of a client ends that is refused a namespace, where it does.
    fn end_of(&self, carrier: &Carrier<Self>, failure: &Failure) -> Option<Cause> {
        let charged = self.charge(carrier, CONNECTS_PER_REFUSAL);
        failure.passing().or(charged.err())
    }

    fn accepted(&self, carrier: &Rc<Carrier<Self>>, entered: Entered) -> Accepted<Rc<Session>> {
        let outlet = Outlet::SocketIo(Rc::clone(carrier));
        let session = self.hub.attach(entered, outlet);
        // As the JavaScript server does: what the client missed comes before it is told that it is
        // connected, and it is the client that holds it back until then.
        self.hub.send_missed(&session);
        let recoverable = self.hub.is_recoverable(&session);
        Accepted {
            sid: outcome::session(session.id),
            pid: recoverable.then(|| session.pid.reveal()),
            socket: session,
        }
    }

    /// Answers a client whose admission had to wait.
    fn settle(
        &self,
        carrier: &Rc<Carrier<Self>>,
        attempt: &Attempt,
        entered: Result<Option<Entered>, Failure>,
    ) {
        match entered {
            Ok(None) => {}
            Err(failure) => match self.end_of(carrier, &failure) {
                // Whoever asks for something else by now has not been refused that.
                _ if !Client::awaits(carrier, attempt) => {}
                Some(cause) => carrier.close(cause),
                None => Client::refuse(carrier, attempt, &refused(&failure)),
            },
            Ok(Some(entered)) => {
                let accepted = self.accepted(carrier, entered);
                if Client::accept(carrier, attempt, &accepted) {
                    self.connected(&accepted.socket);
                } else {
                    self.hub.disconnected(&accepted.socket, Cause::Lost);
                }
            }
        }
    }
}

/// A number for a connection, by what only its client knows of it: nothing is kept for it.
fn number_of(carrier: &Carrier<SocketIoFront>) -> u64 {
    let sid = carrier.sid().to_string();
    // What JavaScript's numbers hold exactly.
    Digest64::of(sid).bits() >> 11
}

fn refused(failure: &Failure) -> Refused {
    Refused {
        message: failure.message.clone(),
        data: failure.data(),
    }
}

impl Handler for SocketIoFront {
    type Link = Link;
    type Socket = Rc<Session>;

    fn origin_allowed(&self, head: &Parts, peer: Peer) -> bool {
        let allowed = origin_allowed(&self.hub.shared.policy.load(), head, peer);
        if !allowed {
            self.hub.counters.failed(Code::OriginDenied);
        }
        allowed
    }

    fn open(&self, head: &Parts, peer: Peer) -> Result<Link, Refusal> {
        let shared = &self.hub.shared;
        match shared.admission.admit(&shared.policy.load(), head, peer) {
            Ok(admitted) => Ok(Link {
                admitted,
                connects: Cell::default(),
            }),
            Err((code, refusal)) => {
                self.hub.counters.failed(code);
                Err(refusal)
            }
        }
    }

    fn connect(
        &self,
        carrier: &Rc<Carrier<Self>>,
        attempt: &Attempt,
        auth: &str,
    ) -> Connect<Rc<Session>> {
        if let Err(cause) = self.charge(carrier, 1) {
            return Connect::Close(cause);
        }
        let namespace = attempt.namespace();
        if !self.hub.policy().has_namespace(namespace) {
            self.hub.counters.failed(Code::NamespaceUnknown);
            // Word for word what the JavaScript server answers; clients look for it.
            return Connect::Refuse(Refused {
                message: "Invalid namespace".into(),
                data: None,
            });
        }
        let knock = match self.knock(carrier, namespace, auth) {
            Ok(knock) => knock,
            Err(failure) => {
                self.hub.counters.refused(&failure);
                return Connect::Refuse(refused(&failure));
            }
        };
        // A connection that has ended is not kept for an answer that takes its time.
        let (weak, asked) = (Rc::downgrade(carrier), attempt.clone());
        let wanted = move || {
            let carrier = weak.upgrade();
            carrier.is_some_and(|carrier| Client::awaits(&carrier, &asked))
        };
        match eager::poll_once(Rc::clone(&self.hub).enter(knock, wanted)) {
            Ok(Ok(Some(entered))) => Connect::Accept(self.accepted(carrier, entered)),
            Ok(Ok(None)) => Connect::Later,
            Ok(Err(failure)) => match self.end_of(carrier, &failure) {
                Some(cause) => Connect::Close(cause),
                None => Connect::Refuse(refused(&failure)),
            },
            Err(rest) => {
                let front = Self {
                    hub: Rc::clone(&self.hub),
                };
                let (carrier, attempt) = (Rc::downgrade(carrier), attempt.clone());
                tokio::task::spawn_local(async move {
                    let entered = rest.await;
                    if let Some(carrier) = carrier.upgrade() {
                        front.settle(&carrier, &attempt, entered);
                    }
                });
                Connect::Later
            }
        }
    }

    fn connected(&self, session: &Rc<Session>) {
        self.hub.told_connected(session);
    }

    fn event(&self, session: &Rc<Session>, event: Event<'_>, reply: Reply<'_, Self>) -> Flow {
        let args: &[&serde_json::value::RawValue] = &event.args;
        let ack = reply.detach();
        if session.attached().is_some() {
            let answer = ack.is_expected().then(|| -> Answer {
                Box::new(move |array, attachments| ack.send_array(array, attachments))
            });
            return self.hub.event_for_application(
                session,
                event.array,
                &event.attachments,
                answer,
            );
        }
        match Operation::from_event(event.name, args, event.attachments, ack.is_expected()) {
            Ok(operation) => self.hub.perform(session, operation, move |outcome| {
                ack.send_with(|| (outcome::json(outcome, None), outcome::attachments(outcome)));
            }),
            Err(failure) => self.hub.refuse(session, failure, |outcome| {
                ack.send(&outcome::json(outcome, None));
            }),
        }
    }

    fn oversized(&self, session: &Rc<Session>, bytes: usize, reply: Reply<'_, Self>) -> Flow {
        // The event would have been the application's to answer. As the JavaScript server does, the
        // gateway ends the connection of a client that sends what the application cannot get.
        if session.attached().is_some() {
            return Flow::Break(Cause::Protocol(1009));
        }
        self.hub.refuse_oversized(session, bytes, |outcome| {
            reply.send(&outcome::json(outcome, None));
        })
    }

    fn disconnected(&self, session: Rc<Session>, cause: Cause) {
        self.hub.disconnected(&session, cause);
    }

    fn closed(&self, _: &Rc<Carrier<Self>>, cause: Cause) {
        self.hub.counters.broke_rules(cause);
    }
}
