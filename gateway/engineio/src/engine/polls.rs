//! The requests of the polling transport.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use sluice_codec::eio;
use sluice_net::{Body, Cause, Flow, response};
use tokio::sync::{Notify, oneshot};

use super::Engine;
use crate::{
    application::Application,
    peers::Parcel,
    polling::{CLOSE, NOOP, Polled, Tended, Turn},
    post,
    refusal::Refusal,
    session::Session,
    sid::Sid,
};

/// The most packets in one body.
const MAX_PACKETS: usize = 1_000;

/// How long a session that was closed waits for the poll that can tell its client.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the way to another gateway and back may take, beyond what a poll waits for.
const WAY: Duration = Duration::from_secs(5);

/// The cause of a session that a client polled in a way the protocol forbids.
const PROTOCOL: Cause = Cause::Protocol(1002);

impl<A: Application> Engine<A> {
    /// A GET: waits for something to tell the client.
    pub(super) async fn poll(self: &Rc<Self>, sid: Sid) -> Result<Response<Body>, Refusal> {
        let payload = if self.owns(sid) {
            self.poll_here(sid).await?
        } else if sid.gateway != self.gateway {
            self.poll_there(sid).await?
        } else {
            let (reply, answer) = oneshot::channel();
            self.send_parcel(sid, Parcel::Poll { sid, reply })?;
            answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))?
        };
        Ok(response(
            StatusCode::OK,
            "text/plain; charset=UTF-8",
            payload,
        ))
    }

    pub(super) async fn poll_here(self: &Rc<Self>, sid: Sid) -> Polled {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        let (poll, payload) = oneshot::channel();
        self.take_turn(&session, session.wait(poll))?;
        let mut guard = Abandoned {
            engine: self,
            session: Some(&session),
        };
        let payload = payload.await;
        guard.session = None;
        payload.unwrap_or(Err(Refusal::UNKNOWN_SID))
    }

    /// A GET for a session of another gateway. Its owner has something to say by the next
    /// heartbeat, or gives the client up.
    async fn poll_there(&self, sid: Sid) -> Polled {
        let within = {
            let config = &self.terms().config;
            config.ping_interval + config.ping_timeout + WAY
        };
        self.mailboxes.peers()?.poll(sid, within).await
    }

    /// Requests of one kind come one after the other; a client that breaks this is cut off.
    fn take_turn(&self, session: &Rc<Session<A::State>>, turn: Turn) -> Result<(), Refusal> {
        if turn == Turn::Overlaps {
            session.answer_with(CLOSE);
            self.end(session, PROTOCOL);
        }
        if turn == Turn::Taken {
            Ok(())
        } else {
            Err(Refusal::BAD_REQUEST)
        }
    }

    /// A POST: packets from the client.
    pub(super) async fn post(
        self: &Rc<Self>,
        head: &Parts,
        body: Incoming,
        sid: Sid,
    ) -> Result<Response<Body>, Refusal> {
        if self.owns(sid) {
            let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
            let body = self.receive_post(&session, head, body).await?;
            self.packets(&session, &body)?;
        } else {
            let body = post::body(head, body, self.terms().config.max_payload).await?;
            if sid.gateway != self.gateway {
                self.mailboxes.peers()?.post(sid, body).await?;
                return Ok(done());
            }
            let (reply, answer) = oneshot::channel();
            self.send_parcel(sid, Parcel::Post { sid, body, reply })?;
            answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))?;
        }
        Ok(done())
    }

    async fn receive_post(
        &self,
        session: &Rc<Session<A::State>>,
        head: &Parts,
        body: Incoming,
    ) -> Result<Bytes, Refusal> {
        self.take_turn(session, session.begin_post())?;
        let mut guard = Abandoned {
            engine: self,
            session: Some(session),
        };
        let body = post::body(head, body, session.terms.config.max_payload).await;
        guard.session = None;
        session.end_post();
        if body
            .as_ref()
            .is_err_and(|refusal| refusal.status == StatusCode::BAD_REQUEST)
        {
            session.answer_with(CLOSE);
            self.end(session, PROTOCOL);
        }
        body
    }

    pub(super) fn post_here(self: &Rc<Self>, sid: Sid, body: &[u8]) -> Result<(), Refusal> {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        if body.len() > session.terms.config.max_payload {
            return Err(Refusal::TOO_LARGE);
        }
        self.packets(&session, body)
    }

    fn packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Result<(), Refusal> {
        if !session.is_polling() {
            return Err(Refusal::BAD_REQUEST);
        }
        self.worker.counters().bytes_in.add(body.len() as u64);
        match self.read_packets(session, body) {
            Flow::Continue(()) => {}
            Flow::Break(cause @ Cause::Protocol(_)) => {
                session.answer_with(CLOSE);
                self.end(session, cause);
                return Err(Refusal::BAD_REQUEST);
            }
            Flow::Break(cause @ Cause::Client(_)) => {
                session.answer_with(NOOP);
                self.end(session, cause);
            }
            Flow::Break(cause) => session.close(cause),
        }
        Ok(())
    }

    fn read_packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Flow {
        let Ok(body) = std::str::from_utf8(body) else {
            return Flow::Break(PROTOCOL);
        };
        for packet in eio::payload(body, MAX_PACKETS) {
            if session.is_closing() {
                break;
            }
            let Ok(packet) = packet else {
                return Flow::Break(PROTOCOL);
            };
            self.packet(session, packet.kind, &packet.data)?;
        }
        Flow::Continue(())
    }

    fn send_parcel(&self, sid: Sid, parcel: Parcel) -> Result<(), Refusal> {
        if !self.mailboxes.send(sid.worker, parcel) {
            return Err(Refusal::UNKNOWN_SID);
        }
        Ok(())
    }

    /// A polling session's own task: answers its polls at the end of a tick, so that one answer
    /// carries what the tick brought, and ends it when it was closed.
    pub(super) async fn tend(self: Rc<Self>, session: Rc<Session<A::State>>, wake: Rc<Notify>) {
        while let Some(tended) = session.tend() {
            match tended {
                Tended::Open => wake.notified().await,
                Tended::Closing(cause) => {
                    if tokio::time::timeout(GOODBYE, wake.notified())
                        .await
                        .is_err()
                    {
                        self.end(&session, cause);
                    }
                }
                Tended::Closed(cause) => self.end(&session, cause),
            }
            tokio::task::yield_now().await;
        }
        self.polling.set(self.polling.get() - 1);
    }
}

/// The answer to a POST.
fn done() -> Response<Body> {
    response(StatusCode::OK, "text/html", Bytes::from_static(b"ok"))
}

/// Ends the session of a request whose client went away: what it was to bring or to take would
/// be lost.
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
