//! Following one user, room or session in the logs: only for whoever is on the machine itself.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Query, State},
    http::{HeaderMap, StatusCode, header::HOST, uri::Authority},
};
use serde::Deserialize;
use sluice_rooms::SessionId;

use super::Ops;
use crate::trace::Filter;

/// What to follow; exactly one of them.
#[derive(Deserialize)]
pub(super) struct Wanted {
    user: Option<Box<str>>,
    room: Option<Box<str>>,
    session: Option<Box<str>>,
}

impl Wanted {
    fn filter(self) -> Option<Filter> {
        match (self.user, self.room, self.session) {
            (Some(user), None, None) => Some(Filter::User(user)),
            (None, Some(room), None) => Some(Filter::Room(room)),
            (None, None, Some(session)) => SessionId::parse(&session).map(Filter::Session),
            _ => None,
        }
    }
}

type TextResponse = (StatusCode, &'static str);

const REMOTE: TextResponse = (
    StatusCode::FORBIDDEN,
    "Only the machine itself may trace; ask from inside the pod, at http://localhost.\n",
);

/// Whether somebody on the machine itself asks, and by its own name: a page that a browser here
/// shows could have any other name lead to this address.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let known = |host: Authority| matches!(host.host(), "localhost" | "127.0.0.1" | "[::1]");
    peer.ip().to_canonical().is_loopback() && host.is_some_and(known)
}

/// Begins to follow something, in the place of whatever was followed before.
pub(super) async fn begin(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
    State(ops): State<Ops>,
) -> TextResponse {
    if !is_local(peer, &headers) {
        return REMOTE;
    }
    let Some(filter) = wanted.filter() else {
        let what = "Name one of user, room and session, as in ?room=lobby.\n";
        return (StatusCode::BAD_REQUEST, what);
    };
    tracing::info!(?filter, "tracing begins");
    ops.trace.set(Some(filter));
    (StatusCode::OK, "The log has it from now on.\n")
}

/// Ends a trace.
pub(super) async fn end(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(ops): State<Ops>,
) -> TextResponse {
    if !is_local(peer, &headers) {
        return REMOTE;
    }
    tracing::info!("tracing ends");
    ops.trace.set(None);
    (StatusCode::OK, "Nothing is traced any more.\n")
}
