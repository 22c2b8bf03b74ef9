//! Socket.IO, protocol 5, on top of Engine.IO: namespaces, events with binary attachments, and
//! acknowledgements both ways.
//!
//! [`SocketIo`] turns Engine.IO messages into calls of a [`Handler`], which answers with packets
//! that [`packet`] encodes: once for all who get them. What a namespace, an event or a recovered
//! session means is the handler's to say. A packet that breaks the protocol ends the connection,
//! as in the JavaScript server, and no attachment is waited for without a bound.
//!
//! Protocol: `docs/socket.io-protocol/v5-current.md` of socketio/socket.io.
//!
//! A handler that answers each event with its own arguments, to be given to an
//! [`Engine`](sluice_engineio::Engine):
//!
//! ```
//! use std::rc::Rc;
//!
//! use http::request::Parts;
//! use sluice_engineio::{Config, Refusal};
//! use sluice_net::{Cause, Flow, Peer};
//! use sluice_socketio::{
//!     Accepted, Attempt, Carrier, Connect, Event, Handler, Refused, Reply, SocketIo, packet,
//! };
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     type Link = ();
//!     type Socket = Rc<Carrier<Echo>>;
//!
//!     fn open(&self, _: &Parts, _: Peer) -> Result<(), Refusal> {
//!         Ok(())
//!     }
//!
//!     fn connect(&self, carrier: &Rc<Carrier<Self>>, attempt: &Attempt, _: &str) -> Connect<Self::Socket> {
//!         if attempt.namespace() != "/" {
//!             return Connect::Refuse(Refused { message: "Invalid namespace".into(), data: None });
//!         }
//!         let (socket, sid) = (Rc::clone(carrier), carrier.sid().to_string());
//!         Connect::Accept(Accepted { socket, sid, pid: None })
//!     }
//!
//!     fn event(&self, socket: &Self::Socket, event: Event<'_>, reply: Reply<'_, Self>) -> Flow {
//!         let args: Vec<_> = event.args.iter().map(|arg| arg.get()).collect();
//!         if reply.is_expected() {
//!             reply.send_all(&args, &event.attachments);
//!         } else {
//!             packet::event("/", None, &event.name, &args, &event.attachments).send(socket);
//!         }
//!         Flow::Continue(())
//!     }
//!
//!     fn disconnected(&self, _: Self::Socket, _: Cause) {}
//! }
//!
//! let application = SocketIo::new(Echo, &Config::default());
//! # drop(application);
//!
//! // What a client with an acknowledgement gets.
//! let packet = packet::ack("/", 7, &[r#""hello""#], &[]);
//! assert_eq!(packet.head.payload(), br#"437["hello"]"#);
//! ```

mod attachments;
mod attempt;
mod client;
mod handler;
mod msgpack;
pub mod packet;
mod receive;

pub use attempt::Attempt;
pub use client::Client;
pub use handler::{Accepted, Ack, Connect, Event, Handler, Refused, Reply};
pub use receive::SocketIo;

/// The Engine.IO session that carries a handler's sockets.
pub type Carrier<H> = sluice_engineio::Session<Client<H>>;
