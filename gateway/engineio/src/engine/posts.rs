//! The POSTs of the polling transport.

use std::{
    future::{Future, pending},
    rc::Rc,
};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use sluice_codec::eio;
use sluice_net::{Body, Cause, Flow, response};
use tokio::sync::oneshot;

use super::{
    Engine,
    polls::{Abandoned, PROTOCOL},
};
use crate::{
    application::Application,
    peers::{Parcel, Posted},
    polling::{CLOSE, NOOP},
    post,
    refusal::Refusal,
    session::Session,
    sid::Sid,
};

/// How often it is looked whether a client that is not read may be read again.
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// So many packets of a body are carried out before others have their turn: a client that was
/// offline may bring thousands.
const SLICE: usize = 64;

impl<A: Application> Engine<A> {
    /// A POST: packets from the client.
    pub(super) async fn post(
        self: &Rc<Self>,
        head: &Parts,
        body: Incoming,
        sid: Sid,
    ) -> Result<Response<Body>, Refusal> {
        let body = |limit| post::body(head, body, limit);
        if self.owns(sid) {
            let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
            let limit = session.terms.config.max_payload;
            self.post_here(sid, body(limit)).await?;
        } else {
            let body = body(self.terms().config.max_payload);
            if sid.gateway == self.gateway {
                self.post_to_owner(sid, body).await?;
            } else {
                let peers = self.mailboxes.peers()?;
                peers.vouch(sid).await?;
                peers.post(sid, body.await?).await?;
            }
        }
        let ok = Bytes::from_static(b"ok");
        Ok(response(StatusCode::OK, "text/html", ok))
    }

    /// Another worker owns the session. It hears of the POST before its body has come, so that one
    /// that overlaps with another is found out there as here.
    async fn post_to_owner(
        &self,
        sid: Sid,
        body: impl Future<Output = Posted>,
    ) -> Result<(), Refusal> {
        let (sender, coming) = oneshot::channel();
        let (reply, mut answer) = oneshot::channel();
        let parcel = Parcel::Post {
            sid,
            body: coming,
            reply,
        };
        self.send_parcel(sid, parcel)?;
        tokio::select! {
            // The owner refuses the POST, whatever it brings.
            answer = &mut answer => return answer.unwrap_or(Err(Refusal::UNKNOWN_SID)),
            body = body => {
                // An owner that does not wait for it answers why.
                let _ = sender.send(body);
            }
        }
        answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID))
    }

    /// A POST that reached another worker or another gateway.
    pub(super) fn posted(
        self: &Rc<Self>,
        sid: Sid,
        body: oneshot::Receiver<Posted>,
        mut reply: oneshot::Sender<Result<(), Refusal>>,
    ) {
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let body = async {
                match body.await {
                    Ok(body) => body,
                    // The client went away, so nobody waits for the reply either.
                    Err(_) => pending().await,
                }
            };
            tokio::select! {
                answer = engine.post_here(sid, body) => {
                    let _ = reply.send(answer);
                }
                () = reply.closed() => {}
            }
        });
    }

    async fn post_here(&self, sid: Sid, body: impl Future<Output = Posted>) -> Result<(), Refusal> {
        let session = self.session(sid).ok_or(Refusal::UNKNOWN_SID)?;
        self.take_turn(&session, session.begin_post())?;
        let guard = Abandoned::guard(self, &session);
        let answer = match body.await {
            Ok(body) => self.packets(&session, &body).await,
            Err(refusal) => {
                if refusal.status == StatusCode::BAD_REQUEST {
                    session.answer_with(CLOSE);
                    self.end(&session, PROTOCOL);
                }
                Err(refusal)
            }
        };
        guard.disarm();
        session.end_post();
        answer
    }

    async fn packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Result<(), Refusal> {
        if !session.is_polling() {
            return Err(Refusal::BAD_REQUEST);
        }
        if body.len() > session.terms.config.max_payload {
            return Err(Refusal::TOO_LARGE);
        }
        self.worker.counters().bytes_in.add(body.len() as u64);
        match self.read_packets(session, body).await {
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

    async fn read_packets(&self, session: &Rc<Session<A::State>>, body: &[u8]) -> Flow {
        let Ok(body) = std::str::from_utf8(body) else {
            return Flow::Break(PROTOCOL);
        };
        for (index, packet) in eio::payload(body).enumerate() {
            if index > 0 && index.is_multiple_of(SLICE) {
                tokio::task::yield_now().await;
            }
            if session.is_closing() {
                break;
            }
            let Ok(packet) = packet else {
                return Flow::Break(PROTOCOL);
            };
            self.packet(session, packet.kind, &packet.data)?;
            while session.is_paused() && !session.is_closing() {
                tokio::time::sleep(LOOK).await;
            }
        }
        Flow::Continue(())
    }
}
