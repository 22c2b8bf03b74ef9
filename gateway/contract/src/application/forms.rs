//! The JSON in entries.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::GatewayNumber;

/// `hello`: an instance begins a stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The versions of the protocol that it speaks.
    pub protocols: Vec<u32>,
    /// Its id.
    pub instance: Box<str>,
    /// Its name for people.
    pub name: Box<str>,
    /// Where it runs.
    pub zone: Option<Box<str>>,
    /// The library that it speaks through.
    pub sdk: Box<str>,
}

/// `welcome`: the answer to it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Welcome {
    /// The stream is open.
    Open {
        /// The version of the protocol that is spoken.
        protocol: u32,
        /// Who answers.
        gateway: GatewayNumber,
        /// What the gateway keeps to.
        limits: Limits,
    },
    /// It is not.
    Refused {
        /// Why.
        refused: Reason,
    },
}

/// What a gateway keeps to.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The most bytes of a client's event.
    pub payload_bytes: usize,
}

/// Why something was not done.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// A stable code.
    pub code: &'static str,
    /// A sentence that says what to do.
    pub message: Box<str>,
}

/// Why an instance is asked about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It begins.
    New,
    /// Its client lost its connection and came back.
    Recovered,
    /// Its client stayed connected, and its instance ended.
    Handover,
}

/// `connect`: a client asks for a namespace.
#[derive(Debug, Clone, Serialize)]
pub struct Connect<'a> {
    /// The session's public id.
    pub session: &'a str,
    /// The same for all namespaces of one connection.
    pub connection: u64,
    /// What the client asks for.
    pub namespace: &'a str,
    /// The token's subject; empty where there is no token.
    pub user: &'a str,
    /// The token's claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<&'a RawValue>,
    /// What the client sent along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<&'a RawValue>,
    /// The request that opened the connection.
    pub handshake: &'a RawValue,
    /// `polling` or `websocket`.
    pub transport: &'a str,
    /// Why this is asked.
    pub why: Why,
    /// The rooms that the session is in.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub rooms: &'a [Arc<str>],
    /// Its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
    /// How often its data has changed.
    pub rev: u64,
}

/// The request that opened a connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Handshake {
    /// Its headers that are named for the application, in lower case.
    pub headers: BTreeMap<Box<str>, String>,
    /// The parameters of its URL that are.
    pub query: BTreeMap<Box<str>, String>,
    /// Where it came from.
    pub address: Box<str>,
    /// When the client asked for its namespace, in milliseconds since 1970.
    pub time: u64,
}

/// `accept`: the client is let in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Accept {
    /// The rooms that it is in from the beginning.
    pub rooms: Vec<Arc<str>>,
    /// What is kept for the application.
    pub data: Option<Box<RawValue>>,
}

/// `refuse`: it is not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Refuse {
    /// What its `connect_error` says.
    pub message: Box<str>,
    /// And carries.
    pub data: Option<Box<RawValue>>,
}

/// `close`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Close {
    /// Whether all of the connection, and not only its namespace.
    pub connection: bool,
}

/// `gone`: a session has ended.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Gone<'a> {
    /// In the words of Socket.IO's server.
    pub reason: &'a str,
    /// In the gateway's.
    pub cause: &'a str,
}

/// Who is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Selector {
    /// In this namespace.
    pub namespace: Arc<str>,
    /// The members of any of these.
    pub rooms: Vec<Arc<str>>,
    /// But for those of these.
    pub except: Vec<Arc<str>>,
    /// And these.
    pub sessions: Vec<Arc<str>>,
    /// And these users'.
    pub users: Vec<Arc<str>>,
}

impl Selector {
    /// The most names in one.
    pub const MAX_NAMES: usize = 1_000;

    /// Whether it means all of its namespace, but for the excepted.
    pub fn is_everyone(&self) -> bool {
        self.rooms.is_empty() && self.sessions.is_empty() && self.users.is_empty()
    }

    /// How many names it has.
    pub fn names(&self) -> usize {
        self.rooms.len() + self.except.len() + self.sessions.len() + self.users.len()
    }
}
