//! The requests of the polling transport.

use std::rc::Rc;

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use sluice_codec::eio;
use sluice_net::{Body, Cause, Flow, response};
use tokio::sync::{Notify, oneshot};

use super::Engine;
use crate::{
    application::{Application, Refusal},
    polling::Polled,
    post,
    remote::Parcel,
    session::{Session, Transport},
    sid::Sid,
};

/// The most packets in one body.
const MAX_PACKETS: usize = 1_000;

/// The cause of a session that a client polled in a way the protocol forbids.
const PROTOCOL: Cause = Cause::Protocol(1002);

impl<A: Application> Engine<A> {
    /// A GET: waits for something to tell the client.
    pub(super) async fn poll(self: &Rc<Self>, sid: Sid) -> Result<Response<Body>, Refusal> {
        let payload = if self.owns(sid) {
            self.poll_here(sid).await?
        } else {
            let (reply, answer) = oneshot::channel();
            self.send_parcel(sid, Parcel::Poll { sid, reply })?;
            answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))?
        };
        Ok(response(StatusCode::OK, "text/plain; charset=UTF-8", payload))
    }

    pub(super) async fn poll_here(self: &Rc<Self>, sid: Sid) -> Polled {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        let (poll, payload) = oneshot::channel();
        match session.wait(poll) {
            Waiting::Waits => {}
            Waiting::Overlaps => {
                session.dismiss(b"1");
                self.end(&session, PROTOCOL);
                return Err(Refusal::BAD_REQUEST);
            }
            Waiting::NotPolling => return Err(Refusal::BAD_REQUEST),
        }
        let mut guard = Abandoned { engine: self, session: Some(&session) };
        let payload = payload.await;
        guard.session = None;
        payload.unwrap_or(Err(Refusal::UNKNOWN_SID))
    }

    /// A POST: packets from the client.
    pub(super) async fn post(
        self: &Rc<Self>,
        head: &Parts,
        body: Incoming,
        sid: Sid,
    ) -> Result<Response<Body>, Refusal> {
        let limit = self.terms().config.max_payload;
        if self.owns(sid) {
            let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
            let reading = Reading::begin(&session)?;
            let body = post::body(head, body, limit).await?;
            drop(reading);
            self.packets(&session, &body)?;
        } else {
            let body = post::body(head, body, limit).await?;
            let (reply, answer) = oneshot::channel();
            self.send_parcel(sid, Parcel::Post { sid, body, reply })?;
            answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))?;
        }
        Ok(response(StatusCode::OK, "text/html", Bytes::from_static(b"ok")))
    }

    pub(super) fn post_here(self: &Rc<Self>, sid: Sid, body: &[u8]) -> Result<(), Refusal> {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        self.packets(&session, body)
    }

    fn packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Result<(), Refusal> {
        if !session.is_polling() {
            return Err(Refusal::BAD_REQUEST);
        }
        match self.read_packets(session, body) {
            Flow::Continue(()) => Ok(()),
            Flow::Break(cause) => {
                let refused = matches!(cause, Cause::Protocol(_));
                session.dismiss(if refused { b"1" } else { b"6" });
                self.end(session, cause);
                if refused { Err(Refusal::BAD_REQUEST) } else { Ok(()) }
            }
        }
    }

    fn read_packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Flow {
        let Ok(body) = std::str::from_utf8(body) else { return Flow::Break(PROTOCOL) };
        for packet in eio::payload(body, MAX_PACKETS) {
            let Ok(packet) = packet else { return Flow::Break(PROTOCOL) };
            self.packet(session, packet.kind, &packet.data)?;
        }
        Flow::Continue(())
    }

    fn send_parcel(&self, sid: Sid, parcel: Parcel) -> Result<(), Refusal> {
        if sid.gateway != self.gateway || !self.mailboxes.send(sid.worker, parcel) {
            return Err(Refusal::UNKNOWN_SID);
        }
        Ok(())
    }

    /// A polling session's own task: answers its polls at the end of a tick, so that one answer
    /// carries what the tick brought, and ends it when it was closed.
    pub(super) async fn tend(self: Rc<Self>, session: Rc<Session<A::State>>, wake: Rc<Notify>) {
        loop {
            wake.notified().await;
            tokio::task::yield_now().await;
            let closing = match &mut *session.transport.borrow_mut() {
                Transport::Polling(polling) => {
                    polling.answer();
                    polling.closing()
                }
                _ => break,
            };
            if let Some(cause) = closing {
                session.dismiss(b"1");
                self.end(&session, cause);
                break;
            }
        }
        self.polling.set(self.polling.get() - 1);
    }
}

/// What became of a poll.
pub(crate) enum Waiting {
    Waits,
    Overlaps,
    NotPolling,
}

/// Ends the session of a poll whose client went away: what was to be its answer would be lost.
struct Abandoned<'a, A: Application> {
    engine: &'a Engine<A>,
    session: Option<&'a Rc<Session<A::State>>>,
}

impl<A: Application> Drop for Abandoned<'_, A> {
    fn drop(&mut self) {
        if let Some(session) = self.session {
            self.engine.end(session, Cause::Lost);
        }
    }
}

/// Keeps a session from being posted to twice at once.
struct Reading<'a, S>(&'a Session<S>);

impl<'a, S> Reading<'a, S> {
    fn begin(session: &'a Session<S>) -> Result<Self, Refusal> {
        if session.begin_post() { Ok(Self(session)) } else { Err(Refusal::BAD_REQUEST) }
    }
}

impl<S> Drop for Reading<'_, S> {
    fn drop(&mut self) {
        self.0.end_post();
    }
}
