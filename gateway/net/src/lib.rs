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
mod read;
mod reap;
mod shared_frame;
mod stream;
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
pub use shared_frame::SharedFrame;
pub use sluice_contract::Cause;
pub use sluice_util::Full;
pub use stream::{Portable, Stream};
pub use wheel::{Tick, Wheel};
pub use worker::Worker;
