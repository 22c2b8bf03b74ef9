//! Putting sessions into rooms and taking them out, whatever the rooms' access rules.

use axum::{
    Json,
    extract::State,
    http::Method,
    routing::{delete, put},
};
use serde::Deserialize;
use sluice_backbone::{Command, Target};
use sluice_rooms::SessionId;

use super::{Done, command};
use crate::{
    Api, Refusal,
    extract::{Name, Path},
    route::Route,
};

const USER: &str = "/v1/rooms/{room}/users/{user}";
const SESSION: &str = "/v1/rooms/{room}/sessions/{session}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "join_user",
            Method::PUT,
            USER,
            put(join_user),
            "Puts all sessions of a user into a room, each in its own namespace.",
        )
        .answer::<Done>(),
        Route::new(
            "leave_user",
            Method::DELETE,
            USER,
            delete(leave_user),
            "Takes all sessions of a user out of a room.",
        )
        .answer::<Done>(),
        Route::new(
            "join_session",
            Method::PUT,
            SESSION,
            put(join_session),
            "Puts a session into a room of its namespace.",
        )
        .answer::<Done>(),
        Route::new(
            "leave_session",
            Method::DELETE,
            SESSION,
            delete(leave_session),
            "Takes a session out of a room.",
        )
        .answer::<Done>(),
    ]
}

#[derive(Deserialize)]
struct UserIn {
    room: Name,
    user: Name,
}

#[derive(Deserialize)]
struct SessionIn {
    room: Name,
    session: SessionId,
}

type Outcome = Result<Json<Done>, Refusal>;

async fn join_user(State(api): State<Api>, Path(path): Path<UserIn>) -> Outcome {
    command(&api, Command::Join(Target::User(path.user.0), path.room.0)).await
}

async fn leave_user(State(api): State<Api>, Path(path): Path<UserIn>) -> Outcome {
    command(&api, Command::Leave(Target::User(path.user.0), path.room.0)).await
}

async fn join_session(State(api): State<Api>, Path(path): Path<SessionIn>) -> Outcome {
    command(
        &api,
        Command::Join(Target::Session(path.session), path.room.0),
    )
    .await
}

async fn leave_session(State(api): State<Api>, Path(path): Path<SessionIn>) -> Outcome {
    command(
        &api,
        Command::Leave(Target::Session(path.session), path.room.0),
    )
    .await
}
