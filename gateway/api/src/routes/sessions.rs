//! Listing sessions.

use std::sync::Arc;

use axum::{Json, extract::State, http::Method, routing::get};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluice_backbone::SessionInfo;
use sluice_rooms::SessionId;

use super::{at_most, hundred};
use crate::{
    Api, Refusal,
    extract::{Name, Query},
    route::Route,
};

/// The most sessions in one answer.
const MAX_SESSIONS: usize = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "sessions",
            Method::GET,
            "/v1/sessions",
            get(sessions),
            "Lists sessions, in no order.",
        )
        .query::<SessionsQuery>()
        .answer::<SessionList>(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SessionsQuery {
    /// Only those of this user.
    user: Option<Name>,
    /// The most sessions to list.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
}

/// A list of sessions.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
struct SessionList {
    /// Always true.
    ok: bool,
    /// The sessions, up to the limit.
    sessions: Vec<Listed>,
}

/// A session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct Listed {
    /// Its public id; Socket.IO clients know it as `socket.id`.
    #[schemars(with = "String")]
    session: SessionId,
    /// Its user.
    user: Arc<str>,
    /// Its namespace.
    namespace: Arc<str>,
    /// How it speaks: `socketio` or `websocket`.
    protocol: &'static str,
    /// Whether it has a connection now; else it may be recovered.
    connected: bool,
    /// The rooms that it is in.
    rooms: Vec<Arc<str>>,
}

async fn sessions(
    State(api): State<Api>,
    Query(SessionsQuery { user, limit }): Query<SessionsQuery>,
) -> Result<Json<SessionList>, Refusal> {
    at_most(limit, MAX_SESSIONS)?;
    let user = user.map(|Name(user)| user);
    let sessions = api.backbone().sessions(user, limit).wait().await?;
    Ok(Json(SessionList {
        ok: true,
        sessions: sessions.into_iter().map(describe).collect(),
    }))
}

fn describe(info: SessionInfo) -> Listed {
    let SessionInfo {
        session,
        user,
        namespace,
        protocol,
        connected,
        rooms,
    } = info;
    Listed {
        session,
        user,
        namespace,
        protocol,
        connected,
        rooms,
    }
}
