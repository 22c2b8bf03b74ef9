//! What stands on top of Socket.IO.

mod reply;

use std::{borrow::Cow, rc::Rc};

use bytes::Bytes;
use http::request::Parts;
use sluice_codec::sio::RawArgs;
use sluice_engineio::Refusal;
use sluice_net::{Cause, Flow, Peer};

pub use self::reply::{Ack, Reply};
use crate::{Attempt, Carrier};

/// A socket that the handler lets into a namespace.
#[derive(Debug)]
pub struct Accepted<S> {
    /// What the handler keeps of it.
    pub socket: S,
    /// Its public id.
    pub sid: String,
    /// The private id that recovers it, where recovery is on.
    pub pid: Option<String>,
}

/// Why a client is not let into a namespace; its `connect_error` event gets both.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The error's message.
    pub message: Cow<'static, str>,
    /// The error's data, as JSON.
    pub data: Option<Box<str>>,
}

/// The answer to a client that asks for a namespace.
#[derive(Debug)]
pub enum Connect<S> {
    /// The client is in.
    Accept(Accepted<S>),
    /// The client is refused.
    Refuse(Refused),
    /// The answer comes later, through [`Client::accept`](crate::Client::accept) or
    /// [`Client::refuse`](crate::Client::refuse).
    Later,
    /// The connection ends.
    Close(Cause),
}

/// An event from a client.
#[derive(Debug)]
pub struct Event<'a> {
    /// The event's name.
    pub name: Cow<'a, str>,
    /// All of it as it came: a JSON array of its name and its arguments.
    pub array: &'a str,
    /// Its arguments as JSON; binary ones are placeholders into `attachments`.
    pub args: RawArgs<'a>,
    /// The event's binary attachments.
    pub attachments: Vec<Bytes>,
}

/// The application on one worker.
pub trait Handler: Sized + 'static {
    /// What it keeps of each connection.
    type Link: 'static;
    /// What it keeps of each namespace of a connection: cheap to clone.
    type Socket: Clone + 'static;

    /// Whether a browser's page from this request's `Origin` may use the server.
    fn origin_allowed(&self, _head: &Parts, _peer: Peer) -> bool {
        true
    }

    /// A client asks for a connection.
    fn open(&self, head: &Parts, peer: Peer) -> Result<Self::Link, Refusal>;

    /// A client asks for a namespace; `auth` is its payload as JSON text, or empty. An answer that
    /// comes later is for this attempt.
    fn connect(
        &self,
        carrier: &Rc<Carrier<Self>>,
        attempt: &Attempt,
        auth: &str,
    ) -> Connect<Self::Socket>;

    /// The client was told that it is in: what is sent now follows the reply.
    fn connected(&self, _socket: &Self::Socket) {}

    /// A client emits an event. A break ends the connection; one whose cause tells the client to
    /// stay away ends this namespace, and the connection with the last one.
    fn event(&self, socket: &Self::Socket, event: Event<'_>, reply: Reply<'_, Self>) -> Flow;

    /// A client emits an event of so many bytes, which is over the bound: nothing of it is there. It
    /// breaks as [`Self::event`] does.
    fn oversized(&self, _socket: &Self::Socket, _bytes: usize, _reply: Reply<'_, Self>) -> Flow {
        // 1009: a message too big to process (RFC 6455, section 7.4.1).
        Flow::Break(Cause::Protocol(1009))
    }

    /// A client has left a namespace, or its connection has ended.
    fn disconnected(&self, socket: Self::Socket, cause: Cause);

    /// The connection has ended, after all its namespaces.
    fn closed(&self, _carrier: &Rc<Carrier<Self>>, _cause: Cause) {}
}
