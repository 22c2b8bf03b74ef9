//! The gateway as Socket.IO clients see it.

use std::{borrow::Cow, rc::Rc};

use http::request::Parts;
use serde::Deserialize;
use sluice_contract::Code;
use sluice_engineio::Refusal;
use sluice_net::{Cause, Flow, Peer};
use sluice_rooms::Pid;
use sluice_socketio::{
    Accepted, Attempt, Carrier, Client, Connect, Event, Handler, Refused, Reply,
};

use crate::{
    admission::{Admitted, origin_allowed},
    eager,
    failure::Failure,
    hub::{ClientPosition, Entered, Hub, Knock, Outlet, Session},
    operation::Operation,
    outcome,
};

/// Socket.IO on one worker.
pub(crate) struct SocketIoFront {
    pub(crate) hub: Rc<Hub>,
}

/// What is kept of a connection: its place in the counts, and the token it may have brought.
pub(crate) struct Link {
    admitted: Admitted,
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
            address: Some(admitted.address),
            handshake: admitted.handshake(&self.hub.policy(), json),
            token: auth.token.map(Box::from).or_else(bearer),
            pid: auth.pid.as_deref().and_then(Pid::parse),
            read: ClientPosition::parse(auth.offset.as_deref()),
        })
    }

    fn accepted(&self, carrier: &Rc<Carrier<Self>>, entered: Entered) -> Accepted<Rc<Session>> {
        let outlet = Outlet::SocketIo(Rc::clone(carrier));
        let session = self.hub.attach(entered, outlet);
        let recoverable = !self.hub.policy().recovery_window.is_zero();
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
            // Whoever asks for something else by now has not been refused that.
            Err(_) if !Client::awaits(carrier, attempt) => {}
            Err(failure) => match failure.passing() {
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

fn refused(failure: &Failure) -> Refused {
    Refused {
        message: failure.message.clone(),
        data: serde_json::to_string(failure).ok().map(Box::from),
    }
}

impl Handler for SocketIoFront {
    type Link = Link;
    type Socket = Rc<Session>;

    fn origin_allowed(&self, head: &Parts) -> bool {
        let allowed = origin_allowed(&self.hub.shared.policy.load(), head);
        if !allowed {
            self.hub.counters.failed(Code::OriginDenied);
        }
        allowed
    }

    fn open(&self, head: &Parts, peer: Peer) -> Result<Link, Refusal> {
        let shared = &self.hub.shared;
        match shared.admission.admit(&shared.policy.load(), head, peer) {
            Ok(admitted) => Ok(Link { admitted }),
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
            Ok(Err(failure)) => match failure.passing() {
                Some(cause) => {
                    carrier.close(cause);
                    Connect::Later
                }
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
        self.hub.send_replay(session);
    }

    fn event(&self, session: &Rc<Session>, event: Event<'_>, reply: Reply<'_, Self>) -> Flow {
        let args: &[&serde_json::value::RawValue] = &event.args;
        let ack = reply.detach();
        match Operation::from_event(event.name, args, event.attachments, ack.is_expected()) {
            Ok(operation) => self.hub.perform(session, operation, move |outcome| {
                ack.send_with(|| (outcome::json(outcome, None), outcome::attachments(outcome)));
            }),
            Err(failure) => self.hub.refuse(session, failure, |outcome| {
                ack.send(&outcome::json(outcome, None));
            }),
        }
    }

    fn disconnected(&self, session: Rc<Session>, cause: Cause) {
        self.hub.disconnected(&session, cause);
    }

    fn closed(&self, _: &Rc<Carrier<Self>>, cause: Cause) {
        self.hub.counters.broke_rules(cause);
    }
}
