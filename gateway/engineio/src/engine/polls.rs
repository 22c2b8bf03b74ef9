//! The polls of the polling transport, and the end of its sessions.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use sluice_net::{Body, Cause, response};
use tokio::sync::{Notify, oneshot};

use super::Engine;
use crate::{
    application::Application,
    compression::Compressor,
    peers::Parcel,
    polling::{CLOSE, Polled, Tended, Turn},
    refusal::Refusal,
    session::Session,
    sid::Sid,
};

/// How long a session that was closed waits for the poll that can tell its client.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the way to another gateway and back may take, beyond what a poll waits for.
const WAY: Duration = Duration::from_secs(5);

/// The cause of a session that a client used in a way the protocol forbids.
pub(super) const PROTOCOL: Cause = Cause::Protocol(1002);

impl<A: Application> Engine<A> {
    /// A GET: waits for something to tell the client.
    pub(super) async fn poll(
        self: &Rc<Self>,
        head: &Parts,
        sid: Sid,
    ) -> Result<Response<Body>, Refusal> {
        let payload = if self.owns(sid) {
            self.poll_here(sid).await?
        } else if sid.gateway != self.gateway {
            self.poll_there(sid).await?
        } else {
            let (reply, answer) = oneshot::channel();
            self.send_parcel(sid, Parcel::Poll { sid, reply })?;
            answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))?
        };
        let encoding = Compressor::encoding(&head.headers, &payload);
        let mut answer = response(StatusCode::OK, "text/plain; charset=UTF-8", Bytes::new());
        let headers = answer.headers_mut();
        let body = match encoding {
            None => payload,
            Some(encoding) => {
                let mut guard = Undelivered {
                    engine: self,
                    sid: Some(sid),
                };
                let body = self.compressor.apply(encoding, payload, headers).await;
                guard.sid = None;
                body
            }
        };
        *answer.body_mut() = body.into();
        Ok(answer)
    }

    /// What a client was to get is lost.
    fn lose_there(&self, sid: Sid) {
        if self.owns(sid) {
            self.lose(sid);
        } else if sid.gateway == self.gateway {
            // A worker that is too far behind for this ends the session by its heartbeat.
            let _ = self.send_parcel(sid, Parcel::Lost { sid });
        } else if let Ok(peers) = self.mailboxes.peers() {
            peers.abandon(sid);
        }
    }

    pub(super) async fn poll_here(self: &Rc<Self>, sid: Sid) -> Polled {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        let (poll, payload) = oneshot::channel();
        self.take_turn(&session, session.wait(poll))?;
        let guard = Abandoned::guard(self, &session);
        let payload = payload.await;
        guard.disarm();
        payload.unwrap_or(Err(Refusal::UNKNOWN_SID))
    }

    /// A GET for a session of another gateway. Its owner has something to say by the next
    /// heartbeat, or gives the client up.
    async fn poll_there(&self, sid: Sid) -> Polled {
        let within = {
            let config = &self.terms().config;
            config.ping_interval + config.ping_timeout + WAY
        };
        let peers = self.mailboxes.peers()?;
        peers.vouch(sid).await?;
        peers.poll(sid, within).await
    }

    /// Requests of one kind come one after the other; a client that breaks this is cut off.
    pub(super) fn take_turn(
        &self,
        session: &Rc<Session<A::State>>,
        turn: Turn,
    ) -> Result<(), Refusal> {
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

    pub(super) fn send_parcel(&self, sid: Sid, parcel: Parcel) -> Result<(), Refusal> {
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
                Tended::Moving(noop) => {
                    // Whether it was woken or it is time, it looks again.
                    let _ = tokio::time::timeout_at(noop, wake.notified()).await;
                }
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

/// Ends the session of a request whose client went away: what it was to bring or to take would
/// be lost.
pub(super) struct Abandoned<'a, A: Application> {
    engine: &'a Engine<A>,
    session: Option<&'a Rc<Session<A::State>>>,
}

impl<'a, A: Application> Abandoned<'a, A> {
    pub(super) fn guard(engine: &'a Engine<A>, session: &'a Rc<Session<A::State>>) -> Self {
        Self {
            engine,
            session: Some(session),
        }
    }

    /// The request has done what it was to do.
    pub(super) fn disarm(mut self) {
        self.session = None;
    }
}

impl<A: Application> Drop for Abandoned<'_, A> {
    fn drop(&mut self) {
        if let Some(session) = self.session {
            self.engine.end(session, Cause::Lost);
        }
    }
}

/// Ends the session of a client that went away while the answer to its poll was compressed.
struct Undelivered<'a, A: Application> {
    engine: &'a Engine<A>,
    sid: Option<Sid>,
}

impl<A: Application> Drop for Undelivered<'_, A> {
    fn drop(&mut self) {
        if let Some(sid) = self.sid {
            self.engine.lose_there(sid);
        }
    }
}
