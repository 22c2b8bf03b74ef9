//! Socket.IO, protocol 5, on top of Engine.IO: namespaces, events with binary attachments, and
//! acknowledgements both ways.
//!
//! [`SocketIo`] turns Engine.IO messages into calls of a [`Handler`], which answers with
//! [`SharedFrame`](sluice_net::SharedFrame) packets that [`packet`] encodes. What a namespace, an event
//! or a recovered session means is the handler's to say.
//!
//! Protocol: `docs/socket.io-protocol/v5-current.md` of socketio/socket.io.

mod attachments;
mod client;
mod handler;
pub mod packet;
mod receive;

pub use client::Client;
pub use handler::{Accepted, Ack, Connect, Event, Handler, Refused, Reply};
pub use receive::SocketIo;

/// The Engine.IO session that carries a handler's sockets.
pub type Carrier<H> = sluice_engineio::Session<Client<H>>;
