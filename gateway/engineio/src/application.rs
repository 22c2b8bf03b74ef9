//! What stands on top of an engine.

use std::rc::Rc;

use http::request::Parts;
use sluice_net::{Cause, Flow, Oversized, Peer};

use crate::{refusal::Refusal, session::Session};

/// The protocol above Engine.IO, on one worker.
pub trait Application: 'static {
    /// What it keeps of each session.
    type State: 'static;

    /// Whether a browser's page from this request's `Origin` may use the server.
    fn origin_allowed(&self, _head: &Parts, _peer: Peer) -> bool {
        true
    }

    /// A client asks for a session: its state, or why it gets none.
    fn open(&self, head: &Parts, peer: Peer) -> Result<Self::State, Refusal>;

    /// The session is open; what is sent now follows the handshake.
    fn opened(&self, _session: &Rc<Session<Self::State>>) {}

    /// A text message came.
    fn text(&self, session: &Rc<Session<Self::State>>, text: &str) -> Flow;

    /// A binary message came.
    fn binary(&self, session: &Rc<Session<Self::State>>, bytes: &[u8]) -> Flow;

    /// A message over the bound was passed over; a text begins as it would for [`Self::text`]. Unless
    /// it can be told who sent it, the session ends.
    fn oversized(&self, _session: &Rc<Session<Self::State>>, _message: &Oversized<'_>) -> Flow {
        // 1009: a message too big to process (RFC 6455, section 7.4.1).
        Flow::Break(Cause::Protocol(1009))
    }

    /// A heartbeat is due: the place for coarse checks of a session.
    fn beat(&self, _session: &Rc<Session<Self::State>>) -> Flow {
        Flow::Continue(())
    }

    /// The session has ended; nothing of it comes after this.
    fn closed(&self, session: &Rc<Session<Self::State>>, cause: Cause);
}
