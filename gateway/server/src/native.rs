//! The plain WebSocket protocol, `sluice.v1.json`: one JSON object a frame.

mod frame;
mod pulse;
mod waiting;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::request::Parts;
use serde_json::value::RawValue;
use sluice_contract::Code;
use sluice_engineio::Refusal;
use sluice_net::{
    Cause, Connection, Flow, HttpResponse, Options, Oversized, Peer, Receiver, SharedFrame, Stream,
    Tick, Timers,
    heartbeat::{Rhythm, tick_for},
    spawn_reader,
    upgrade::{self, Subprotocols},
};

use self::{
    frame::{Connect, Frame},
    pulse::Pulse,
    waiting::Waiting,
};
use crate::{
    admission::{Admitted, origin_allowed},
    eager,
    failure::Failure,
    hub::{Answer, Entered, Hub, Knock, Outlet, Session},
    operation::{Content, Operation},
    outcome::{self, Outcome, Success},
};

/// The subprotocol's name.
pub(crate) const PROTOCOL: &str = "sluice.v1.json";

const SUBPROTOCOLS: Subprotocols<'_> = Subprotocols::Known(&[PROTOCOL]);

/// How long a client may take to connect after the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many frames that are no connect a client may send before it connects.
const MAX_MISSES: u8 = 100;

/// The plain protocol on one worker.
pub(crate) struct NativeFront {
    hub: Rc<Hub>,
    timers: Timers<Weak<Pulse>>,
    /// Clients by arrival, in ticks awake, until they have connected or it is too late to.
    arrivals: RefCell<VecDeque<(Tick, Weak<Client>)>>,
}

impl NativeFront {
    pub(crate) fn start(hub: &Rc<Hub>) -> Rc<Self> {
        let heartbeat = hub.policy().heartbeat;
        let front = Rc::new(Self {
            hub: Rc::clone(hub),
            timers: Timers::new(tick_for(heartbeat.interval, heartbeat.timeout)),
            arrivals: RefCell::default(),
        });
        let weak = Rc::downgrade(&front);
        hub.on_drained(move || {
            if let Some(front) = weak.upgrade() {
                let outside = |state: &State| !matches!(state, State::In(_));
                front.close_arrivals(Code::Drain, |_| true, outside);
            }
        });
        tokio::task::spawn_local(Rc::clone(&front).turn());
        front
    }

    async fn turn(self: Rc<Self>) {
        loop {
            let due = self.timers.due().await;
            for pulse in due.iter().filter_map(Weak::upgrade) {
                pulse.fire(&self.timers);
            }
            let awake = self.timers.time().awake;
            let patience = self.timers.ticks(CONNECT_TIMEOUT);
            let late = |arrived| awake.wrapping_sub(arrived) >= patience;
            // Whoever has asked to connect may have to wait for others.
            let idle = |state: &State| matches!(state, State::New);
            self.close_arrivals(Code::ConnectTimeout, late, idle);
        }
    }

    /// Closes clients that have not connected, from the first that came for as long as `late`, if
    /// they are still as they are `to_close`.
    fn close_arrivals(
        &self,
        code: Code,
        late: impl Fn(Tick) -> bool,
        to_close: impl Fn(&State) -> bool,
    ) {
        loop {
            let mut arrivals = self.arrivals.borrow_mut();
            let Some((_, client)) = arrivals.pop_front_if(|(arrived, _)| late(*arrived)) else {
                return;
            };
            drop(arrivals);
            if let Some(client) = client.upgrade()
                && to_close(&client.state.borrow())
            {
                self.hub.counters.failed(code);
                client.connection.close(code.cause());
            }
        }
    }

    /// Answers the request that opens a connection.
    pub(crate) fn open(self: &Rc<Self>, head: &Parts, peer: Peer) -> HttpResponse {
        let shared = &self.hub.shared;
        if !origin_allowed(&shared.policy.load(), head, peer) {
            self.hub.counters.failed(Code::OriginDenied);
            return HttpResponse::Plain(Refusal::forbidden("Origin not allowed").response());
        }
        let negotiated = match upgrade::negotiate(head, shared.compression, SUBPROTOCOLS) {
            Ok(negotiated) => negotiated,
            Err(reason) => return HttpResponse::Plain(upgrade::refuse(reason)),
        };
        let admitted = match shared.admission.admit(&shared.policy.load(), head, peer) {
            Ok(admitted) => admitted,
            Err((code, refusal)) => {
                self.hub.counters.failed(code);
                return HttpResponse::Plain(refusal.response());
            }
        };
        let front = Rc::clone(self);
        let deflate = negotiated.deflate;
        let then = move |stream, leftover: Bytes| front.begin(admitted, stream, &leftover, deflate);
        HttpResponse::Upgrade(negotiated.response, Box::new(then))
    }

    fn begin(self: &Rc<Self>, admitted: Admitted, stream: Stream, leftover: &Bytes, deflate: bool) {
        let policy = self.hub.policy();
        let options = Options {
            max_message: policy.limits.payload_bytes,
            max_outbound: policy.limits.outbound_bytes,
            deflate,
        };
        let connection = Connection::new(Rc::clone(&self.hub.worker), stream, &options);
        let heartbeat = policy.heartbeat;
        let rhythm = Rhythm::new(heartbeat.interval, heartbeat.timeout, self.timers.tick());
        let pulse = Pulse::start(&connection, rhythm, &self.timers);
        let client = Rc::new(Client {
            hub: Rc::clone(&self.hub),
            connection: Rc::clone(&connection),
            state: RefCell::new(State::New),
            misses: Cell::new(0),
            admitted,
        });
        let arrival = (self.timers.time().awake, Rc::downgrade(&client));
        self.arrivals.borrow_mut().push_back(arrival);
        let native = Native {
            front: Rc::clone(self),
            client,
            pulse,
        };
        spawn_reader(connection, native, &options, leftover);
    }
}

/// How far a connection has come.
enum State {
    New,
    /// It asked to connect, and what it asked for since waits for that.
    Connecting(Waiting),
    In(Rc<Session>),
}

/// A connection's client.
struct Client {
    hub: Rc<Hub>,
    connection: Rc<Connection>,
    state: RefCell<State>,
    /// Frames before it connected that were no connect.
    misses: Cell<u8>,
    admitted: Admitted,
}

/// A connection, as its task sees it.
struct Native {
    front: Rc<NativeFront>,
    client: Rc<Client>,
    pulse: Rc<Pulse>,
}

impl Receiver for Native {
    fn text(&mut self, _: &Rc<Connection>, text: &str) -> Flow {
        self.client.text(text)
    }

    fn binary(&mut self, _: &Rc<Connection>, _: &[u8]) -> Flow {
        // 1003: data of a type that is not accepted (RFC 6455, section 7.4.1).
        Flow::Break(Cause::Protocol(1003))
    }

    fn oversized(&mut self, _: &Rc<Connection>, message: &Oversized<'_>) -> Flow {
        self.client.oversized(message)
    }

    fn pong(&mut self) {
        self.pulse.answered();
    }

    fn closed(&mut self, cause: Cause) {
        self.pulse.stop(&self.front.timers);
        self.client.hub.counters.broke_rules(cause);
        if let State::In(session) = self.client.state.replace(State::New) {
            // A close that says that all is done (RFC 6455: 1000) ends the session as well.
            let cause = if cause == Cause::Client(1000) {
                Cause::Left
            } else {
                cause
            };
            self.client.hub.disconnected(&session, cause);
        }
    }
}

impl Client {
    fn text(self: &Rc<Self>, text: &str) -> Flow {
        let waits = match &mut *self.state.borrow_mut() {
            State::Connecting(waiting) => {
                let most = self.hub.policy().limits.payload_bytes;
                Some(waiting.add(text, most))
            }
            _ => None,
        };
        match waits {
            Some(true) => Flow::Continue(()),
            Some(false) => self.refuse(Failure::IN_FLIGHT, Frame::id(text).as_deref()),
            None => self.read(text),
        }
    }

    /// Refuses what is over the bound. A client that is not in yet cannot be told, and is to mend
    /// its connect.
    fn oversized(&self, message: &Oversized<'_>) -> Flow {
        let (State::In(session), Some(head)) = (&*self.state.borrow(), message.text()) else {
            return Flow::Break(Cause::Protocol(1009));
        };
        let id = frame::id_of(head);
        self.hub
            .refuse_oversized(session, message.bytes, |outcome| {
                reply(&self.connection, outcome, id.as_deref());
            })
    }

    fn read(self: &Rc<Self>, text: &str) -> Flow {
        let session = match &*self.state.borrow() {
            State::In(session) => Some(Rc::clone(session)),
            _ => None,
        };
        let (failure, id) = match (Frame::read(text), session) {
            (Ok(Frame::Operation(id, Operation::Emit { content, .. })), Some(session))
                if session.attached().is_some() =>
            {
                return self.emit(&session, id, &content);
            }
            (Ok(Frame::Operation(id, operation)), Some(session)) => {
                let connection = Rc::clone(&self.connection);
                return self.hub.perform(&session, operation, move |outcome| {
                    if id.is_some() {
                        reply(&connection, outcome, id.as_deref());
                    }
                });
            }
            (Ok(Frame::Connect(id, connect)), None) => return self.connect(id, connect),
            (Ok(Frame::Connect(id, _)), Some(_)) => (Failure::CONNECTED, id),
            (Ok(Frame::Operation(id, _)), None) => (Failure::NOT_CONNECTED, id),
            (Err((failure, id)), _) => (failure, id),
        };
        self.refuse(failure, id.as_deref())
    }

    /// Emits an event to the application that the session is attached to.
    fn emit(
        self: &Rc<Self>,
        session: &Rc<Session>,
        id: Option<Box<RawValue>>,
        content: &Content<'_>,
    ) -> Flow {
        let event = serde_json::to_string(&*content.event).unwrap_or_default();
        let array = format!("[{event},{}]", &*content.data);
        let connection = Rc::clone(&self.connection);
        let answer = id.map(|id| -> Answer {
            Box::new(move |array, attachments| {
                let outcome = Ok(outcome::of_application(array, attachments));
                reply(&connection, &outcome, Some(&id));
            })
        });
        self.hub
            .event_for_application(session, &array, &content.attachments, answer)
    }

    fn connect(self: &Rc<Self>, id: Option<Box<RawValue>>, connect: Connect<'_>) -> Flow {
        let bearer = || self.admitted.bearer.clone();
        let knock = Knock {
            namespace: connect.namespace.as_deref().unwrap_or("/").into(),
            protocol: "websocket",
            connection: self.hub.next_connection(),
            transport: "websocket",
            address: Some(self.admitted.address),
            handshake: self.admitted.handshake(&self.hub.policy(), connect.auth()),
            pid: connect.pid(),
            read: connect.position(),
            offset: connect.offset.as_deref().map(Box::from),
            token: connect.token.map(Box::from).or_else(bearer),
        };
        if !self.hub.policy().has_namespace(&knock.namespace) {
            let failure = Failure::NAMESPACE_UNKNOWN;
            return self.refuse(failure, id.as_deref());
        }
        *self.state.borrow_mut() = State::Connecting(Waiting::default());
        // A connection that has ended is not kept for an answer that takes its time.
        let (client, waits) = (Rc::downgrade(self), Rc::downgrade(self));
        let wanted = move || waits.upgrade().is_some_and(|client| client.waits());
        eager::run(Rc::clone(&self.hub).enter(knock, wanted), move |entered| {
            if let Some(client) = client.upgrade() {
                client.settle(entered, id.as_deref());
            }
        });
        Flow::Continue(())
    }

    /// Whether it still waits to be let in.
    fn waits(&self) -> bool {
        let connecting = matches!(*self.state.borrow(), State::Connecting(_));
        connecting && self.connection.ended().is_none()
    }

    /// Answers what cannot be carried out. Whoever sends little else is cut off.
    fn refuse(&self, failure: Failure, id: Option<&RawValue>) -> Flow {
        let answer = |outcome: &Outcome| reply(&self.connection, outcome, id);
        if let State::In(session) = &*self.state.borrow() {
            return self.hub.refuse(session, failure, answer);
        }
        self.hub.answer(&Err(failure), answer);
        self.misses.set(self.misses.get().saturating_add(1));
        if self.misses.get() > MAX_MISSES {
            return Flow::Break(Cause::Abuse);
        }
        Flow::Continue(())
    }

    fn settle(self: &Rc<Self>, entered: Result<Option<Entered>, Failure>, id: Option<&RawValue>) {
        let connection = &self.connection;
        let entered = match entered {
            Ok(Some(entered)) => entered,
            Ok(None) => return,
            Err(failure) => {
                let cause = failure.cause();
                reply(connection, &Err(failure), id);
                return connection.close(cause);
            }
        };
        let recovered = entered.recovered;
        let outlet = Outlet::Native(Rc::clone(connection));
        let session = self.hub.attach(entered, outlet);
        let policy = self.hub.policy();
        let recoverable = self.hub.is_recoverable(&session);
        let connected = Success::Connected {
            session: outcome::session(session.id),
            user: session.user(),
            pid: recoverable.then(|| session.pid.reveal()),
            recovered,
            ping_interval: policy.heartbeat.interval.as_millis() as u64,
        };
        reply(connection, &Ok(connected), id);
        self.hub.told_connected(&session);
        if let State::Connecting(waiting) = self.state.replace(State::In(session)) {
            self.read_all(waiting);
        }
    }

    /// Reads what waited until the client was let in.
    fn read_all(self: &Rc<Self>, waiting: Waiting) {
        for text in waiting {
            if let Flow::Break(cause) = self.read(&text) {
                return self.connection.close(cause);
            }
        }
    }
}

fn reply(connection: &Rc<Connection>, outcome: &Outcome, id: Option<&RawValue>) {
    let json = match id {
        Some(_) => outcome::json(outcome, id),
        None => outcome::json(outcome, Some(RawValue::NULL)),
    };
    connection.send_or_close(&SharedFrame::text(&json));
}
