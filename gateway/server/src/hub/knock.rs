//! What a client says that wants in.

use std::net::IpAddr;

use sluice_backend::Handshake;
use sluice_rooms::Pid;

use super::ClientPosition;

/// A client that wants in.
#[derive(Debug, Default)]
pub(crate) struct Knock {
    pub(crate) namespace: Box<str>,
    /// `socketio` or `websocket`.
    pub(crate) protocol: &'static str,
    /// Which connection of the worker's it came over.
    pub(crate) connection: u64,
    /// `polling` or `websocket`.
    pub(crate) transport: &'static str,
    /// Where it comes from; none where nobody knows.
    pub(crate) address: Option<IpAddr>,
    /// What the backend is told of its request.
    pub(crate) handshake: Option<Handshake>,
    pub(crate) token: Option<Box<str>>,
    /// The session it says it had, and how far it says it has read there.
    pub(crate) pid: Option<Pid>,
    pub(crate) read: ClientPosition,
    /// What it says of that, as it says it.
    pub(crate) offset: Option<Box<str>>,
}
