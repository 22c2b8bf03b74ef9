//! How sessions begin: over either transport, and from one to the other.

use std::rc::{Rc, Weak};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use sluice_codec::eio;
use sluice_net::{
    Body, Cause, Connection, HttpResponse, Peer, Portable, SharedFrame, Stream,
    heartbeat::Beat,
    response, spawn_reader,
    upgrade::{Subprotocols, negotiate},
};

use super::{
    Engine,
    websocket::{Refused, WebSocket},
};
use crate::{
    application::Application,
    peers::Parcel,
    polling::Polling,
    refusal::Refusal,
    session::{Session, Terms, Transport},
    sid::Sid,
};

impl<A: Application> Engine<A> {
    pub(super) fn open_websocket(
        self: &Rc<Self>,
        head: &Parts,
        peer: Peer,
    ) -> Result<HttpResponse, Refusal> {
        let terms = self.terms();
        let negotiated = negotiate(head, terms.config.deflate, Subprotocols::Any)
            .map_err(Refusal::of_handshake)?;
        let state = self.app.open(head, peer)?;
        let engine = Rc::clone(self);
        let then = move |stream: Stream, leftover: Bytes| {
            engine.websocket(state, stream, &leftover, negotiated.deflate, terms);
        };
        Ok(HttpResponse::Upgrade(negotiated.response, Box::new(then)))
    }

    fn websocket(
        self: &Rc<Self>,
        state: A::State,
        stream: Stream,
        leftover: &Bytes,
        deflate: bool,
        terms: Rc<Terms>,
    ) {
        let options = terms.config.options(deflate);
        let connection = Connection::new(Rc::clone(&self.worker), stream, &options);
        connection.hang_up_to_come_back();
        let transport = Transport::WebSocket(Rc::clone(&connection));
        let session = self.insert(state, terms, transport);
        connection.send_or_close(&SharedFrame::text(&open_packet(&session, &[])));
        self.app.opened(&session);
        let receiver = WebSocket {
            engine: Rc::clone(self),
            session,
            live: true,
        };
        spawn_reader(connection, receiver, &options, leftover);
    }

    pub(super) fn open_polling(
        self: &Rc<Self>,
        head: &Parts,
        peer: Peer,
    ) -> Result<Response<Body>, Refusal> {
        let state = self.app.open(head, peer)?;
        let polling = Box::new(Polling::new(Rc::clone(&self.worker)));
        let wake = polling.wake();
        let session = self.insert(state, self.terms(), Transport::Polling(polling));
        self.polling.set(self.polling.get() + 1);
        tokio::task::spawn_local(Rc::clone(self).tend(Rc::clone(&session), wake));
        self.app.opened(&session);
        let packet = open_packet(&session, &["websocket"]);
        self.worker.counters().bytes_out.add(packet.len() as u64);
        Ok(response(
            StatusCode::OK,
            "text/plain; charset=UTF-8",
            packet.into(),
        ))
    }

    /// A WebSocket for a session that polls, here, on another worker or another gateway.
    pub(super) async fn open_probe(
        self: &Rc<Self>,
        head: &Parts,
        sid: Sid,
    ) -> Result<HttpResponse, Refusal> {
        if sid.gateway != self.gateway {
            return self.open_tunnel(head, sid).await;
        }
        if self.owns(sid) && self.session(sid).is_none() {
            return Err(Refusal::UNKNOWN_SID);
        }
        let negotiated = negotiate(head, self.terms().config.deflate, Subprotocols::Any)
            .map_err(Refusal::of_handshake)?;
        let engine = Rc::clone(self);
        let then = move |stream: Stream, leftover: Bytes| {
            if engine.owns(sid) {
                engine.probe(sid, stream, &leftover, negotiated.deflate);
            } else {
                engine.carry(sid, stream, leftover, negotiated.deflate);
            }
        };
        Ok(HttpResponse::Upgrade(negotiated.response, Box::new(then)))
    }

    fn carry(&self, sid: Sid, stream: Stream, leftover: Bytes, deflate: bool) {
        self.worker.counters().sockets.sub(1);
        if let Ok(stream) = stream.detach() {
            self.mailboxes.send(
                sid.worker,
                Parcel::Probe {
                    sid,
                    stream: Box::new(stream),
                    leftover,
                    deflate,
                },
            );
        }
    }

    /// A WebSocket that another worker accepted for a session of this one.
    pub(super) fn carried(
        self: &Rc<Self>,
        sid: Sid,
        stream: Portable,
        leftover: &Bytes,
        deflate: bool,
    ) {
        if let Ok(stream) = stream.attach() {
            self.worker.counters().sockets.add(1);
            self.probe(sid, stream, leftover, deflate);
        }
    }

    pub(super) fn probe(
        self: &Rc<Self>,
        sid: Sid,
        stream: Stream,
        leftover: &Bytes,
        deflate: bool,
    ) -> Weak<Connection> {
        let session = self.session(sid).filter(|session| session.may_probe());
        let terms = session
            .as_ref()
            .map_or_else(|| self.terms(), |s| Rc::clone(&s.terms));
        let options = terms.config.options(deflate);
        let connection = Connection::new(Rc::clone(&self.worker), stream, &options);
        let weak = Rc::downgrade(&connection);
        let Some(session) = session else {
            connection.close(Cause::Protocol(1002));
            spawn_reader(connection, Refused, &options, leftover);
            return weak;
        };
        session.set_probe(&connection);
        self.watch_probe(sid, &connection);
        let receiver = WebSocket {
            engine: Rc::clone(self),
            session,
            live: false,
        };
        spawn_reader(connection, receiver, &options, leftover);
        weak
    }

    fn insert(
        &self,
        state: A::State,
        terms: Rc<Terms>,
        transport: Transport,
    ) -> Rc<Session<A::State>> {
        let interval = terms.rhythm.interval;
        let mut sessions = self.sessions.borrow_mut();
        let entry = sessions.vacant_entry();
        let (worker, slot) = (self.worker.index() as u8, entry.key() as u32);
        let sid = Sid::new(self.mailboxes.sid_key(), self.gateway, worker, slot);
        let session = Session::new(sid, state, terms, transport);
        entry.insert(Rc::clone(&session));
        session.beat.set(Beat::new(self.timers.time()));
        let timer = self.timers.by_the_clock(interval, sid.slot);
        session.timer.set(Some(timer));
        session
    }
}

fn open_packet<S>(session: &Session<S>, upgrades: &[&str]) -> String {
    let config = &session.terms.config;
    let mut packet = Vec::with_capacity(160);
    let open = eio::Open {
        sid: &session.sid().to_string(),
        upgrades,
        ping_interval: config.ping_interval.as_millis() as u64,
        ping_timeout: config.ping_timeout.as_millis() as u64,
        max_payload: config.max_payload,
    };
    eio::open(&open, &mut packet);
    String::from_utf8(packet).unwrap_or_default()
}
