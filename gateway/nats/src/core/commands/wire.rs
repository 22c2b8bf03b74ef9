//! Commands as they go to other gateways: the length of a head in 4 bytes, the head as JSON, and
//! behind it, as they are, the data and the attachments of a message.

use std::{sync::Arc, time::Instant};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use sluice_backbone::{Command, Target};
use sluice_rooms::{Message, SessionId};

use sluice_contract::{GatewayNumber, is_of_newer_kind};

use crate::core::json::json;

/// Something that all gateways are to do.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Command(Arc<Command>),
    /// List up to `limit` sessions, those of `user` only if one is given.
    Sessions {
        user: Option<Arc<str>>,
        limit: usize,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    gateway: GatewayNumber,
    what: What,
}

/// The words for all that may be asked: other ones are a newer version's.
const KINDS: [&str; 6] = ["send", "disconnect", "revoke", "join", "leave", "sessions"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Send {
        to: Whom,
        #[serde(default)]
        namespace: Option<Arc<str>>,
        message: Note,
    },
    Disconnect {
        to: Whom,
        reason: Box<str>,
    },
    Revoke {
        to: Whom,
        #[serde(default)]
        issued_before: Option<u64>,
    },
    Join {
        to: Whom,
        room: Arc<str>,
    },
    Leave {
        to: Whom,
        room: Arc<str>,
    },
    Sessions {
        #[serde(default)]
        user: Option<Arc<str>>,
        limit: usize,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Whom {
    User(Arc<str>),
    Session(SessionId),
    Token(Arc<str>),
    Everyone,
}

/// A message without what follows the head, but with its lengths.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    event: Box<str>,
    #[serde(default)]
    from: Option<Arc<str>>,
    id: Box<str>,
    time: u64,
    #[serde(default)]
    except: Option<SessionId>,
    data: usize,
    #[serde(default)]
    attachments: Vec<usize>,
}

impl From<&Target> for Whom {
    fn from(target: &Target) -> Self {
        match target {
            Target::User(user) => Self::User(Arc::clone(user)),
            Target::Session(session) => Self::Session(*session),
            Target::Token(token) => Self::Token(Arc::clone(token)),
            Target::Everyone => Self::Everyone,
        }
    }
}

impl From<Whom> for Target {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::User(user) => Self::User(user),
            Whom::Session(session) => Self::Session(session),
            Whom::Token(token) => Self::Token(token),
            Whom::Everyone => Self::Everyone,
        }
    }
}

impl From<&Request> for What {
    fn from(request: &Request) -> Self {
        match request {
            Request::Sessions { user, limit } => Self::Sessions {
                user: user.clone(),
                limit: *limit,
            },
            Request::Command(command) => Self::of(command),
        }
    }
}

impl What {
    fn of(command: &Command) -> Self {
        let to = command.target().into();
        match command {
            Command::Send(_, namespace, message) => Self::Send {
                to,
                namespace: namespace.clone(),
                message: Note::of(message),
            },
            Command::Disconnect(_, reason) => Self::Disconnect {
                to,
                reason: reason.clone(),
            },
            Command::Revoke(_, issued_before) => Self::Revoke {
                to,
                issued_before: *issued_before,
            },
            Command::Join(_, room) => Self::Join {
                to,
                room: Arc::clone(room),
            },
            Command::Leave(_, room) => Self::Leave {
                to,
                room: Arc::clone(room),
            },
        }
    }
}

impl Note {
    fn of(message: &Message) -> Self {
        Self {
            event: message.event.clone(),
            from: message.from.clone(),
            id: message.id.clone(),
            time: message.time,
            except: message.except,
            data: message.data.len(),
            attachments: message.attachments.iter().map(Bytes::len).collect(),
        }
    }

    fn message(self, mut body: Bytes, now: Instant) -> Option<Message> {
        let data = take(&mut body, self.data)?;
        let data = std::str::from_utf8(&data).ok()?;
        // It becomes a part of what clients parse.
        serde_json::from_str::<IgnoredAny>(data).ok()?;
        let attachments = self.attachments.iter().map(|len| take(&mut body, *len));
        let attachments = attachments.collect::<Option<Vec<_>>>()?;
        body.is_empty().then(|| Message {
            room: None,
            event: self.event,
            data: data.into(),
            attachments,
            from: self.from,
            id: self.id,
            position: None,
            read: None,
            time: self.time,
            except: self.except,
            accepted: now,
        })
    }
}

fn take(bytes: &mut Bytes, len: usize) -> Option<Bytes> {
    (len <= bytes.len()).then(|| bytes.split_to(len))
}

/// Writes a request of the gateway `from`.
pub(super) fn encode(from: u32, request: &Request) -> Bytes {
    let head = json(&Head {
        gateway: GatewayNumber(from),
        what: request.into(),
    });
    let mut bytes = BytesMut::with_capacity(4 + head.len());
    // No head is longer than the few names in it.
    bytes.put_u32(head.len() as u32);
    bytes.put_slice(&head);
    if let Request::Command(command) = request
        && let Command::Send(_, _, message) = &**command
    {
        bytes.put_slice(message.data.as_bytes());
        for attachment in &message.attachments {
            bytes.put_slice(attachment);
        }
    }
    bytes.freeze()
}

/// Whose request it is, and what it is for; `None` where it is no request. A message counts as
/// accepted `now`.
pub(super) fn decode(mut bytes: Bytes, now: Instant) -> Option<(u32, Request)> {
    let len = bytes.try_get_u32().ok()?;
    let head = take(&mut bytes, usize::try_from(len).ok()?)?;
    let Head { gateway, what } = serde_json::from_slice(&head).ok()?;
    let command = match what {
        What::Send {
            to,
            namespace,
            message,
        } => {
            let message = message.message(std::mem::take(&mut bytes), now)?;
            Command::Send(to.into(), namespace, Arc::new(message))
        }
        What::Disconnect { to, reason } => Command::Disconnect(to.into(), reason),
        What::Revoke { to, issued_before } => Command::Revoke(to.into(), issued_before),
        What::Join { to, room } => Command::Join(to.into(), room),
        What::Leave { to, room } => Command::Leave(to.into(), room),
        What::Sessions { user, limit } => {
            let request = Request::Sessions { user, limit };
            return bytes.is_empty().then_some((gateway.0, request));
        }
    };
    bytes
        .is_empty()
        .then(|| (gateway.0, Request::Command(Arc::new(command))))
}

/// Whether something that is no request of this version is one of a newer version.
pub(super) fn is_newer(mut bytes: Bytes) -> bool {
    let len = bytes.try_get_u32().ok();
    let head = len.and_then(|len| take(&mut bytes, usize::try_from(len).ok()?));
    head.is_some_and(|head| is_of_newer_kind(&head, &KINDS))
}

#[cfg(test)]
mod tests;
