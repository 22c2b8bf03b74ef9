//! All operations.

mod disconnects;
mod drains;
mod fleet;
mod history;
mod memberships;
mod messages;
mod presence;
mod revocations;
mod sessions;

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluice_backbone::Command;
use sluice_contract::Code;
use sluice_rooms::{RoomKey, RoomSettings};

use crate::{Api, Refusal, extract::Name, route::Route};

/// The operations in the order of the documents.
pub(crate) fn routes() -> Vec<Route> {
    [
        messages::routes(),
        memberships::routes(),
        disconnects::routes(),
        revocations::routes(),
        presence::routes(),
        history::routes(),
        sessions::routes(),
        drains::routes(),
        fleet::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The room in a path.
#[derive(Deserialize)]
struct InRoom {
    room: Name,
}

/// The namespace that a room belongs to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InNamespace {
    /// The namespace.
    #[serde(default = "first_namespace")]
    namespace: String,
}

fn first_namespace() -> String {
    "/".to_owned()
}

/// How many sessions did what was asked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Done")]
struct Done {
    /// Always true.
    ok: bool,
    /// How many sessions did it.
    sessions: u64,
}

async fn command(api: &Api, command: Command) -> Result<Json<Done>, Refusal> {
    let sessions = api.backbone().command(command).wait().await?;
    Ok(Json(Done { ok: true, sessions }))
}

fn known_namespace(api: &Api, namespace: &str) -> Result<(), Refusal> {
    if api.rules().has_namespace(namespace) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::NamespaceUnknown,
        format!("the cluster has no namespace {namespace}; add it to spec.namespaces"),
    ))
}

fn known_room(api: &Api, namespace: &str, room: &str) -> Result<(RoomKey, RoomSettings), Refusal> {
    known_namespace(api, namespace)?;
    let key = RoomKey::new(namespace, room);
    let settings = api.rules().room(&key).ok_or_else(|| {
        Refusal::new(Code::RoomUnknown,
            format!("no Room matches {room} in namespace {namespace}; apply one, or set spec.rooms.default to Open"),
        )
    })?;
    Ok((key, settings))
}

/// Refuses to answer with more than `most` entries, or with none.
fn at_most(limit: usize, most: usize) -> Result<(), Refusal> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    let message = format!("limit is {limit}; ask for 1 to {most} at once");
    Err(Refusal::new(Code::LimitOutOfRange, message))
}

/// How many entries an answer has unless the request says otherwise.
fn hundred() -> usize {
    100
}

/// What fits into a WebSocket close frame beside its code (RFC 6455 section 5.5).
const MAX_REASON: usize = 123;

/// Refuses a reason that no close frame could carry to a client.
fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.len() <= MAX_REASON {
        return Ok(());
    }
    let message = format!(
        "reason has {} bytes; a close frame holds {MAX_REASON}",
        reason.len()
    );
    Err(Refusal::new(Code::ReasonTooLong, message))
}
