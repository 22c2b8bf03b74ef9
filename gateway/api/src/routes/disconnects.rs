//! Disconnecting sessions, which are not to come back by themselves.

use axum::{Json, extract::State, http::Method, routing::delete};
use schemars::JsonSchema;
use serde::Deserialize;
use sluice_backbone::{Command, Target};
use sluice_rooms::SessionId;

use super::{Done, check_reason, command};
use crate::{
    Api, Refusal,
    extract::{Name, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "disconnect_user",
            Method::DELETE,
            "/v1/users/{user}/sessions",
            delete(user),
            "Disconnects all sessions of a user.",
        )
        .query::<Why>()
        .answer::<Done>(),
        Route::new(
            "disconnect_session",
            Method::DELETE,
            "/v1/sessions/{session}",
            delete(session),
            "Disconnects a session.",
        )
        .query::<Why>()
        .answer::<Done>(),
    ]
}

/// Why a session is disconnected.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// What the client is told, at most 123 bytes.
    #[serde(default = "by_the_backend")]
    reason: String,
}

fn by_the_backend() -> String {
    "disconnected by the backend".to_owned()
}

#[derive(Deserialize)]
struct User {
    user: Name,
}

#[derive(Deserialize)]
struct Session {
    session: SessionId,
}

async fn user(
    State(api): State<Api>,
    Path(User { user }): Path<User>,
    Query(why): Query<Why>,
) -> Result<Json<Done>, Refusal> {
    disconnect(&api, Target::User(user.0), why).await
}

async fn session(
    State(api): State<Api>,
    Path(Session { session }): Path<Session>,
    Query(why): Query<Why>,
) -> Result<Json<Done>, Refusal> {
    disconnect(&api, Target::Session(session), why).await
}

async fn disconnect(api: &Api, target: Target, Why { reason }: Why) -> Result<Json<Done>, Refusal> {
    check_reason(&reason)?;
    command(api, Command::Disconnect(target, reason.into())).await
}
