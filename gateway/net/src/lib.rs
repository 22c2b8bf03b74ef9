//! The I/O core of a gateway: one worker a core, and the WebSocket connections that live on it.
//!
//! A [`worker`] is a thread with a current-thread runtime. A connection is accepted by one worker
//! and stays there, so nothing on its path is shared between threads: one scratch buffer to read
//! into, one list of connections that owe bytes, one flush of each at the end of a scheduler tick.
//! Protocols build on this through [`Receiver`] (what a connection says) and
//! [`Connection::send`] (what it is told); between workers there is only the [`inbox`].

mod connection;
mod counter;
mod flush;
pub mod heartbeat;
mod http;
pub mod inbox;
mod listener;
mod outbound;
mod outgoing;
mod read;
mod reap;
mod stream;
pub mod tls;
pub mod upgrade;
mod wheel;
pub mod worker;

pub use connection::{Connection, Options};
pub use counter::{Counter, Counters};
pub use http::{Answer, Body, Handler, HandlerFuture, Patience, Peer, Upgrade, response};
pub use listener::{Endpoint, accept, listen};
pub use outgoing::Outgoing;
pub use read::{Flow, Receiver, drive};
pub use sluice_contract::Cause;
pub use sluice_util::Full;
pub use stream::{Portable, Stream};
pub use wheel::{Tick, Wheel};
pub use worker::Worker;
