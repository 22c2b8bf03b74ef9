//! The I/O core of a gateway: one worker a core, and the WebSocket connections that live on it.
//!
//! A [`worker`] is a thread with a current-thread runtime. A connection is accepted by one worker
//! and stays there, so nothing on its path is shared between threads: one scratch buffer to read
//! into, one list of connections that owe bytes, one flush of each at the end of a scheduler tick.
//! Protocols build on this through [`Receiver`] (what a connection says) and
//! [`Connection::send`] (what it is told); between workers there is only the [`inbox`].
//!
//! What waits for a connection is bounded in bytes, by [`Options::max_outbound`]; who has more to
//! say than that is asked for the rest as the client reads ([`Connection::refill_with`]). An idle
//! connection holds no buffer; and whatever ends one, its [`Receiver`] is told why, once, by a
//! [`Cause`].
//!
//! A server that answers each message with itself:
//!
//! ```no_run
//! use std::{rc::Rc, sync::Arc};
//!
//! use hyper::{Request, body::Incoming};
//! use sluice_net::{
//!     Cause, Connection, Endpoint, Flow, Handler, HandlerFuture, HttpResponse, Options, Peer,
//!     Receiver, SharedFrame, Worker, accept, listen, spawn_reader,
//!     upgrade::{Subprotocols, negotiate, refuse},
//!     worker,
//! };
//!
//! struct Echo;
//!
//! impl Receiver for Echo {
//!     fn text(&mut self, connection: &Rc<Connection>, text: &str) -> Flow {
//!         connection.send_or_close(&SharedFrame::text(text));
//!         Flow::Continue(())
//!     }
//!
//!     fn binary(&mut self, connection: &Rc<Connection>, bytes: &[u8]) -> Flow {
//!         connection.send_or_close(&SharedFrame::binary(bytes));
//!         Flow::Continue(())
//!     }
//!
//!     fn closed(&mut self, cause: Cause) {
//!         println!("a connection has ended: {}", cause.name());
//!     }
//! }
//!
//! struct Server(Rc<Worker>);
//!
//! impl Handler for Server {
//!     fn handle(self: Rc<Self>, request: Request<Incoming>, _: Peer) -> HandlerFuture {
//!         let options = Options { max_message: 64 << 10, max_outbound: 1 << 20, deflate: false };
//!         let head = request.into_parts().0;
//!         let response = match negotiate(&head, options.deflate, Subprotocols::Any) {
//!             Ok(agreed) => HttpResponse::Upgrade(
//!                 agreed.response,
//!                 Box::new(move |stream, leftover| {
//!                     let connection = Connection::new(Rc::clone(&self.0), stream, &options);
//!                     spawn_reader(connection, Echo, &options, &leftover);
//!                 }),
//!             ),
//!             Err(error) => HttpResponse::Plain(refuse(error)),
//!         };
//!         Box::pin(std::future::ready(response))
//!     }
//! }
//!
//! let thread = worker::start(0, Arc::default(), async move |worker| {
//!     let address = ([127, 0, 0, 1], 3000).into();
//!     let endpoint = Endpoint { address, certificate: None, max_sockets: 10_000 };
//!     let server = Rc::new(Server(Rc::clone(&worker)));
//!     accept(worker, listen(address)?, endpoint, server).await
//! })?;
//! # drop(thread);
//! # Ok::<(), std::io::Error>(())
//! ```

mod connection;
mod counter;
mod flush;
pub mod heartbeat;
mod http;
pub mod inbox;
mod listener;
mod proxied;
mod read;
mod reap;
mod refill;
mod shared_frame;
mod slices;
mod stream;
mod timers;
pub mod tls;
pub mod upgrade;
mod wheel;
pub mod worker;
mod write_queue;

pub use connection::{Connection, Options};
pub use counter::{Counter, Counters};
pub use http::{Body, Handler, HandlerFuture, HttpResponse, Patience, Peer, Upgrade, response};
pub use listener::{Endpoint, accept, listen};
pub use read::{Flow, Receiver, spawn_reader};
pub use refill::{Refill, Refills};
pub use shared_frame::SharedFrame;
pub use slices::{Slices, wake_after_others};
pub use sluice_codec::ws::Oversized;
pub use sluice_contract::Cause;
pub use sluice_util::Full;
pub use stream::{Portable, Stream};
pub use timers::{Time, Timers};
pub use wheel::{Tick, Timer, Wheel};
pub use worker::Worker;
