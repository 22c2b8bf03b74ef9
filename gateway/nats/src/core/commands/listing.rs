//! Sessions as gateways list them to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_backbone::SessionInfo;
use sluice_rooms::SessionId;

use sluice_contract::GatewayNumber;

use crate::core::json::json;

/// An answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CommandAnswer {
    pub(super) gateway: GatewayNumber,
    /// How many sessions carried a command out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<u64>,
    /// The sessions that were to be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sessions: Vec<Listed>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    session: SessionId,
    user: Arc<str>,
    namespace: Arc<str>,
    protocol: Box<str>,
    connected: bool,
    #[serde(default)]
    rooms: Vec<Arc<str>>,
}

impl From<&SessionInfo> for Listed {
    fn from(info: &SessionInfo) -> Self {
        Self {
            session: info.session,
            user: Arc::clone(&info.user),
            namespace: Arc::clone(&info.namespace),
            protocol: info.protocol.into(),
            connected: info.connected,
            rooms: info.rooms.clone(),
        }
    }
}

impl From<Listed> for SessionInfo {
    fn from(listed: Listed) -> Self {
        Self {
            session: listed.session,
            user: listed.user,
            namespace: listed.namespace,
            protocol: match &*listed.protocol {
                "socketio" => "socketio",
                "websocket" => "websocket",
                _ => "unknown",
            },
            connected: listed.connected,
            rooms: listed.rooms,
        }
    }
}

/// As many of the sessions as fit into an answer of so many bytes.
pub(super) fn listed(sessions: &[SessionInfo], most: usize) -> Vec<Listed> {
    let mut bytes = 0;
    let listed = sessions.iter().map(Listed::from).take_while(|listed| {
        bytes += json(listed).len() + 1;
        bytes <= most
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_rooms::Pid;

    fn info(rooms: usize) -> SessionInfo {
        SessionInfo {
            session: Pid::random().session(),
            user: "ann".into(),
            namespace: "/".into(),
            protocol: "socketio",
            connected: true,
            rooms: (0..rooms).map(|n| n.to_string().into()).collect(),
        }
    }

    #[test]
    fn a_session_reads_back_as_it_was_listed() {
        let info = info(2);
        let text = json(&listed(std::slice::from_ref(&info), 1024));
        let read: Vec<Listed> = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            read.into_iter().map(SessionInfo::from).collect::<Vec<_>>(),
            [info]
        );
    }

    #[test]
    fn a_list_is_bounded_in_bytes() {
        let sessions: Vec<_> = (0..400).map(|_| info(1_000)).collect();
        let most = 512 * 1024;
        let listed = listed(&sessions, most);
        assert!(!listed.is_empty() && listed.len() < sessions.len());
        assert!(json(&listed).len() <= most + 2);
    }
}
