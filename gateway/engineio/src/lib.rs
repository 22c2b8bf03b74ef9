//! Engine.IO, protocol 4: sessions over WebSocket or HTTP long-polling, the upgrade from one to the
//! other, and heartbeats.
//!
//! An [`Engine`] serves the sessions of one worker and hands their messages to an
//! [`Application`]. A request for a session of another worker is carried there, and one for a
//! session of another gateway goes there by [`Peers`], so no balancer needs to be sticky; the
//! session's [`Sid`] names its owner.
//!
//! An application hears of a session's messages in their order, whatever it runs over, and of its
//! end once. What waits for a client is bounded in bytes, and so is what waits between gateways.
//!
//! Protocol: `docs/engine.io-protocol/v4-current.md` of socketio/socket.io.
//!
//! A server that answers each message with itself:
//!
//! ```no_run
//! use std::{net::SocketAddr, rc::Rc, sync::Arc};
//!
//! use http::request::Parts;
//! use sluice_engineio::{Application, Config, Engine, Refusal, Session, mailboxes};
//! use sluice_net::{Cause, Endpoint, Flow, Peer, SharedFrame, accept, listen, worker};
//!
//! struct Echo;
//!
//! impl Application for Echo {
//!     type State = ();
//!
//!     fn open(&self, _: &Parts, _: Peer) -> Result<(), Refusal> {
//!         Ok(())
//!     }
//!
//!     fn text(&self, session: &Rc<Session<()>>, text: &str) -> Flow {
//!         session.send(&SharedFrame::text(&format!("4{text}")));
//!         Flow::Continue(())
//!     }
//!
//!     fn binary(&self, session: &Rc<Session<()>>, bytes: &[u8]) -> Flow {
//!         session.send(&SharedFrame::binary(bytes));
//!         Flow::Continue(())
//!     }
//!
//!     fn closed(&self, session: &Rc<Session<()>>, cause: Cause) {
//!         println!("session {} has ended: {}", session.sid(), cause.name());
//!     }
//! }
//!
//! // One worker has one mailbox, where requests for its sessions come that others got.
//! let (all, mut own) = mailboxes(1);
//! let mailbox = own.remove(0);
//! let thread = worker::start(0, Arc::default(), async move |worker| {
//!     let address = SocketAddr::from(([127, 0, 0, 1], 3000));
//!     let endpoint = Endpoint { address, certificate: None, max_sockets: 10_000 };
//!     let engine = Engine::start(Rc::clone(&worker), 0, Config::default(), Echo, all, mailbox);
//!     accept(worker, listen(address)?, endpoint, engine).await
//! })?;
//! # drop(thread);
//! # Ok::<(), std::io::Error>(())
//! ```

mod application;
mod compression;
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
