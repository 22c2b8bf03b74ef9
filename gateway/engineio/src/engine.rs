//! The sessions of one worker.

mod opening;
mod polls;
mod posts;
mod ticking;
mod tunnels;
mod websocket;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use slab::Slab;
use sluice_codec::eio::{Data, PacketType};
use sluice_net::{
    Body, Cause, Flow, Handler, HandlerFuture, HttpResponse, Peer, Timers, Worker,
    heartbeat::tick_for, response,
};

use crate::{
    application::Application,
    compression::Compressor,
    config::Config,
    cors,
    handshake::{self, Asked},
    refusal::Refusal,
    remote::{Mailbox, Mailboxes},
    session::{Session, Terms},
    sid::Sid,
};
use ticking::Probe;

/// Serves Engine.IO on one worker.
pub struct Engine<A: Application> {
    app: A,
    worker: Rc<Worker>,
    gateway: u32,
    terms: RefCell<Rc<Terms>>,
    sessions: RefCell<Slab<Rc<Session<A::State>>>>,
    /// When which session's heart is looked at, by its place among them.
    timers: Timers<u32>,
    /// Probes under way, the oldest first.
    probes: RefCell<VecDeque<Probe>>,
    mailboxes: Mailboxes,
    polling: Cell<usize>,
    compressor: Compressor,
}

impl<A: Application> std::fmt::Debug for Engine<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

impl<A: Application> Engine<A> {
    /// Starts an engine on the current worker. `gateway` is the number that this process has in
    /// its sids; `mailbox` is this worker's among `mailboxes`.
    pub fn start(
        worker: Rc<Worker>,
        gateway: u32,
        config: Config,
        app: A,
        mailboxes: Mailboxes,
        mailbox: Mailbox,
    ) -> Rc<Self> {
        let tick = tick_for(config.ping_interval, config.ping_timeout);
        let rhythm = config.rhythm(tick);
        let engine = Rc::new(Self {
            app,
            worker,
            gateway,
            terms: RefCell::new(Rc::new(Terms { config, rhythm })),
            sessions: RefCell::default(),
            timers: Timers::new(tick),
            probes: RefCell::default(),
            mailboxes,
            polling: Cell::new(0),
            compressor: Compressor::new(),
        });
        tokio::task::spawn_local(Rc::clone(&engine).tick());
        tokio::task::spawn_local(Rc::clone(&engine).receive(mailbox));
        engine
    }

    /// The application it serves.
    pub fn app(&self) -> &A {
        &self.app
    }

    /// Exchanges the settings for the sessions to come.
    pub fn configure(&self, config: Config) {
        let rhythm = config.rhythm(self.timers.tick());
        *self.terms.borrow_mut() = Rc::new(Terms { config, rhythm });
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.sessions.borrow().len()
    }

    /// Whether there is no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many sessions poll.
    pub fn polling(&self) -> usize {
        self.polling.get()
    }

    /// The session that `sid` names, where it is this worker's and still there.
    pub fn session(&self, sid: Sid) -> Option<Rc<Session<A::State>>> {
        if !self.owns(sid) {
            return None;
        }
        let sessions = self.sessions.borrow();
        sessions
            .get(sid.slot as usize)
            .filter(|session| session.sid() == sid)
            .cloned()
    }

    pub(crate) fn end(&self, session: &Rc<Session<A::State>>, cause: Cause) {
        let cause = session.leaving().unwrap_or(cause);
        if !session.end(cause) {
            return;
        }
        if let Some(timer) = session.timer.take() {
            self.timers.cancel(timer);
        }
        self.sessions
            .borrow_mut()
            .try_remove(session.sid().slot as usize);
        self.app.closed(session, cause);
    }

    /// One packet of an open session.
    pub(crate) fn packet(
        &self,
        session: &Rc<Session<A::State>>,
        kind: PacketType,
        data: &Data<'_>,
    ) -> Flow {
        if session.leaving().is_some() && kind != PacketType::Close {
            return Flow::Continue(());
        }
        match (kind, data) {
            (PacketType::Message, Data::Text(text)) => self.app.text(session, text),
            (PacketType::Message, Data::Binary(bytes)) => self.app.binary(session, bytes),
            (PacketType::Pong, _) => {
                let mut beat = session.beat.get();
                beat.answered();
                session.beat.set(beat);
                Flow::Continue(())
            }
            // The client ends the session; whether for good, the layer above knows.
            (PacketType::Close, _) => Flow::Break(Cause::Client(1000)),
            (PacketType::Noop, _) => Flow::Continue(()),
            _ => Flow::Break(Cause::Protocol(1002)),
        }
    }

    fn owns(&self, sid: Sid) -> bool {
        sid.gateway == self.gateway && usize::from(sid.worker) == self.worker.index()
    }

    /// Whether requests to this path are for the engine.
    pub fn serves(&self, path: &str) -> bool {
        self.terms.borrow().config.serves(path)
    }

    /// Where its clients connect.
    pub fn path(&self) -> String {
        self.terms.borrow().config.path.clone()
    }

    fn terms(&self) -> Rc<Terms> {
        Rc::clone(&self.terms.borrow())
    }

    async fn answer(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HttpResponse {
        let (head, body) = request.into_parts();
        if !self.serves(head.uri.path()) {
            return HttpResponse::Plain(nothing_here());
        }
        if !self.app.origin_allowed(&head, peer) {
            return HttpResponse::Plain(Refusal::forbidden("Origin not allowed").response());
        }
        if let Some(preflight) = cors::preflight(&head) {
            return HttpResponse::Plain(preflight);
        }
        let answer = match handshake::read(&head) {
            Ok(Asked::OpenWebSocket) => self.open_websocket(&head, peer),
            Ok(Asked::Probe(sid)) => self.open_probe(&head, sid).await,
            Ok(Asked::OpenPolling) => self.open_polling(&head, peer).map(HttpResponse::Plain),
            Ok(Asked::Poll(sid)) => self.poll(&head, sid).await.map(HttpResponse::Plain),
            Ok(Asked::Post(sid)) => self.post(&head, body, sid).await.map(HttpResponse::Plain),
            Err(refusal) => Err(refusal),
        };
        match answer {
            Ok(HttpResponse::Upgrade(response, then)) => HttpResponse::Upgrade(response, then),
            Ok(HttpResponse::Plain(response)) => HttpResponse::Plain(allowed(&head, response)),
            Err(refusal) => HttpResponse::Plain(allowed(&head, refusal.response())),
        }
    }
}

fn nothing_here() -> Response<Body> {
    let body = "There is no Engine.IO at this path; connect to the path that the server names.\n";
    response(
        StatusCode::NOT_FOUND,
        "text/plain; charset=utf-8",
        body.into(),
    )
}

fn allowed(head: &http::request::Parts, mut response: Response<Body>) -> Response<Body> {
    cors::allow(head, &mut response);
    response
}

impl<A: Application> Handler for Engine<A> {
    fn handle(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HandlerFuture {
        Box::pin(self.answer(request, peer))
    }
}
