//! What the application is asked and told.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::value::RawValue;
use sluice_rooms::SessionId;

/// An event that the gateway does not know itself.
#[derive(Debug, Clone, Serialize)]
pub struct EventRequest {
    /// The session's namespace.
    pub namespace: Arc<str>,
    /// The event's name.
    pub event: Box<str>,
    /// The session's user.
    pub user: Arc<str>,
    /// The session.
    pub session: SessionId,
    /// What the backend said of the session when it was asked about it.
    #[serde(rename = "sessionData", skip_serializing_if = "Option::is_none")]
    pub session_data: Option<Arc<RawValue>>,
    /// The event's data.
    pub data: Box<RawValue>,
    /// Binary attachments, which placeholders in `data` refer to.
    #[serde(serialize_with = "base64", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Bytes>,
    /// Whether the client waits for the answer. If not, what the backend answers is ignored.
    #[serde(rename = "ack")]
    pub ack_expected: bool,
}

/// A session that wants to begin, or to go on over a new connection.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectRequest {
    /// The namespace that it wants.
    pub namespace: Arc<str>,
    /// Its user.
    pub user: Arc<str>,
    /// Its public name.
    pub session: SessionId,
    /// Whether it is one that began before, and goes on with its rooms.
    pub recovered: bool,
    /// How it speaks: `socketio` or `websocket`.
    pub protocol: &'static str,
    /// The claims of its token, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Box<RawValue>>,
    /// What is known of its client, where the backend is to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
}

/// A client's request for a connection, as far as the backend is told of it.
#[derive(Debug, Clone, Serialize)]
pub struct Handshake {
    /// The request.
    #[serde(flatten)]
    pub request: Arc<ClientRequest>,
    /// What it sent along when it asked for its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Box<RawValue>>,
}

/// What was named of a request that opened a connection, by name.
#[derive(Debug, Clone, Serialize)]
pub struct ClientRequest {
    /// Where it came from.
    pub address: IpAddr,
    /// Headers; several of one name are one, with commas between.
    pub headers: BTreeMap<Box<str>, String>,
    /// Cookies.
    pub cookies: BTreeMap<Box<str>, String>,
    /// Parameters of the URL.
    pub query: BTreeMap<Box<str>, String>,
}

/// A session that has ended.
#[derive(Debug, Clone, Serialize)]
pub struct Disconnected {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its user.
    pub user: Arc<str>,
    /// Its public name.
    pub session: SessionId,
    /// What the backend said of it when it was asked about it.
    #[serde(rename = "sessionData", skip_serializing_if = "Option::is_none")]
    pub session_data: Option<Arc<RawValue>>,
    /// Why it ended: a stable code.
    pub reason: Box<str>,
    /// When it ended, in milliseconds since 1970.
    pub time: u64,
}

/// A request as JSON, which says of what kind it is.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Body<'a> {
    /// A client sent an event.
    Event(&'a EventRequest),
    /// A session wants to begin.
    Connect(&'a ConnectRequest),
    /// Sessions have ended.
    Disconnected {
        /// Those that have.
        sessions: &'a [Disconnected],
        /// How many more there were before these, that were forgotten.
        dropped: u64,
    },
}

impl Body<'_> {
    /// Its kind, as counters name it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Connect(_) => "connect",
            Self::Disconnected { .. } => "disconnected",
        }
    }

    /// Its JSON.
    pub(crate) fn bytes(&self) -> Bytes {
        // Names, numbers and what was JSON before can always be written.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

fn base64<S: Serializer>(attachments: &[Bytes], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(attachments.len()))?;
    for attachment in attachments {
        seq.serialize_element(&STANDARD.encode(attachment))?;
    }
    seq.end()
}
