//! Engine.IO, protocol 4: sessions over WebSocket or HTTP long-polling, the upgrade from one to the
//! other, and heartbeats.
//!
//! An [`Engine`] serves the sessions of one worker and hands their messages to an
//! [`Application`]. A request for a session of another worker is carried there, and one for a
//! session of another gateway goes there by [`Peers`], so no balancer needs to be sticky; the
//! session's [`Sid`] names its owner.
//!
//! Protocol: `docs/engine.io-protocol/v4-current.md` of socketio/socket.io.

mod application;
mod config;
mod cors;
mod engine;
mod handshake;
mod peers;
mod polling;
mod post;
mod refusal;
mod remote;
mod session;
mod sid;

pub use application::Application;
pub use config::Config;
pub use engine::Engine;
pub use peers::{
    Answering, CALLS, Count, Inbound, Joined, Leaving, PeerCounters, Peers, TELLS, Unreachable,
};
pub use refusal::Refusal;
pub use remote::{Mailbox, Mailboxes, mailboxes};
pub use session::Session;
pub use sid::Sid;
