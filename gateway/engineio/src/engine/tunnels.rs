//! WebSocket connections that are passed on to the gateway that owns their session, and those that
//! come from other gateways.

use std::rc::Rc;

use bytes::Bytes;
use http::request::Parts;
use sluice_net::{
    Cause, HttpResponse, Stream,
    upgrade::{Subprotocols, negotiate},
};
use tokio::net::UnixStream;

use super::Engine;
use crate::{
    application::Application,
    peers::{Tunnel, pump},
    refusal::Refusal,
    sid::Sid,
};

impl<A: Application> Engine<A> {
    /// A WebSocket for a session of another gateway: once the owner agrees, its bytes are passed
    /// on there.
    pub(super) async fn open_tunnel(
        &self,
        head: &Parts,
        sid: Sid,
    ) -> Result<HttpResponse, Refusal> {
        let peers = self.mailboxes.peers()?;
        peers.vouch(sid).await?;
        let negotiated = negotiate(head, self.terms().config.deflate, Subprotocols::Any)
            .map_err(Refusal::of_handshake)?;
        let tunnel = peers.probe(sid, negotiated.deflate).await?;
        let worker = Rc::clone(&self.worker);
        let then = move |stream: Stream, leftover: Bytes| {
            tokio::task::spawn_local(async move {
                // This end hears of no drain but its own.
                pump(stream, tunnel, &leftover, || {}).await;
                worker.counters().sockets.sub(1);
            });
        };
        Ok(HttpResponse::Upgrade(negotiated.response, Box::new(then)))
    }

    /// A WebSocket that another gateway accepted for a session of this worker: a local pair stands
    /// for its socket.
    pub(super) fn tunnelled(
        self: &Rc<Self>,
        sid: Sid,
        tunnel: Tunnel,
        deflate: bool,
    ) -> Result<(), Refusal> {
        if self.session(sid).is_none() {
            return Err(Refusal::UNKNOWN_SID);
        }
        let (near, far) = UnixStream::pair().map_err(|error| {
            let hint = "raise the limit of open files if this goes on";
            tracing::warn!(%error, "a WebSocket of another gateway cannot be taken; {hint}");
            Refusal::FULL
        })?;
        self.worker.counters().sockets.add(1);
        let connection = self.probe(sid, near.into(), &Bytes::new(), deflate);
        let leave = move || {
            if let Some(connection) = connection.upgrade() {
                connection.close(Cause::Drain);
            }
        };
        tokio::task::spawn_local(async move {
            pump(far, tunnel, &[], leave).await;
        });
        Ok(())
    }
}
