//! What a backend, or another session, has done to sessions wherever they are.

use std::sync::Arc;

use sluice_rooms::{Message, SessionId};

/// Which sessions a command is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All of a user, in every namespace.
    User(Arc<str>),
    /// One session.
    Session(SessionId),
    /// All whose token has this id.
    Token(Arc<str>),
    /// Every session of the fleet.
    Everyone,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Command {
    /// Send them a message that belongs to no room, in the given namespace only if one is named.
    Send(Target, Option<Arc<str>>, Arc<Message>),
    /// Disconnect them; they are not to come back by themselves.
    Disconnect(Target, Box<str>),
    /// Disconnect them because their token is revoked. For a user, tokens that were issued at
    /// or before this Unix second.
    Revoke(Target, Option<u64>),
    /// Put them into a room of their namespace, whatever its access rules.
    Join(Target, Arc<str>),
    /// Take them out of a room of their namespace.
    Leave(Target, Arc<str>),
}

impl Command {
    /// The sessions that a command is for.
    pub fn target(&self) -> &Target {
        match self {
            Self::Send(target, ..)
            | Self::Disconnect(target, _)
            | Self::Revoke(target, _)
            | Self::Join(target, _)
            | Self::Leave(target, _) => target,
        }
    }
}

/// A session, as a backend sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its public name.
    pub session: SessionId,
    /// Its user.
    pub user: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// How it speaks: `socketio` or `websocket`.
    pub protocol: &'static str,
    /// Whether it has a connection now; else it may be recovered.
    pub connected: bool,
    /// Its rooms.
    pub rooms: Vec<Arc<str>>,
}
