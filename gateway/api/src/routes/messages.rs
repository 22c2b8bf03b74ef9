//! Sending messages.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method},
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluice_backbone::{Command, Publication, Target};
use sluice_rooms::{Message, Publisher};
use sluice_util::unix_millis;

use super::{InNamespace, InRoom, known_namespace, known_room};
use crate::{
    Api, Refusal,
    content::{Content, MessageBody},
    extract::{Body, Name, Path, Query},
    route::{Required, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "publish",
            Method::POST,
            "/v1/rooms/{room}/messages",
            post(publish),
            "Publishes to a room.",
        )
        .query::<InNamespace>()
        .body::<MessageBody>(Required::Yes)
        .answer::<Published>()
        .idempotent_by_key(),
        Route::new(
            "direct",
            Method::POST,
            "/v1/users/{user}/messages",
            post(direct),
            "Sends to all sessions of a user.",
        )
        .query::<MaybeNamespace>()
        .body::<MessageBody>(Required::Yes)
        .answer::<Sent>()
        .idempotent_by_key(),
        Route::new(
            "broadcast",
            Method::POST,
            "/v1/messages",
            post(broadcast),
            "Sends to everyone connected.",
        )
        .query::<MaybeNamespace>()
        .body::<MessageBody>(Required::Yes)
        .answer::<Sent>()
        .idempotent_by_key(),
    ]
}

/// A namespace, or all of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MaybeNamespace {
    /// Only sessions of this namespace; without it, those of all namespaces.
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct User {
    user: Name,
}

/// A message is on its way to every member, and in the room's history if it has one.
#[derive(Serialize, JsonSchema)]
struct Published {
    /// Always true.
    ok: bool,
    /// The message's id: the one that was given, or one made for it.
    id: Box<str>,
    /// Its offset, where the room has a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// The history's identity, where the room has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    /// Whether it was published before under the same id, so that nothing was done now.
    duplicate: bool,
}

/// A message was sent to those who are connected.
#[derive(Serialize, JsonSchema)]
struct Sent {
    /// Always true.
    ok: bool,
    /// The message's id: the one that was given, or one made for it.
    id: Box<str>,
    /// How many sessions it was sent to.
    sessions: u64,
}

async fn publish(
    State(api): State<Api>,
    Path(InRoom { room }): Path<InRoom>,
    Query(InNamespace { namespace }): Query<InNamespace>,
    headers: HeaderMap,
    Body(body): Body<MessageBody>,
) -> Result<Json<Published>, Refusal> {
    let (room, settings) = known_room(&api, &namespace, &room.0)?;
    let Content {
        event,
        data,
        attachments,
        id,
    } = body.check(&headers)?;
    api.rules().check(&room, &event, &data)?;
    let publication = Publication {
        room: room.clone(),
        settings,
        event,
        data,
        attachments,
        from: None,
        publisher: Publisher::Application,
        id,
        except: None,
    };
    let receipt = api.backbone().publish(publication).wait().await?;
    if !receipt.duplicate {
        api.rules().published(&room);
    }
    Ok(Json(Published {
        ok: true,
        id: receipt.id,
        offset: receipt.position.map(|position| position.offset),
        epoch: receipt.position.map(|position| position.epoch.to_string()),
        duplicate: receipt.duplicate,
    }))
}

async fn direct(
    State(api): State<Api>,
    Path(User { user }): Path<User>,
    Query(MaybeNamespace { namespace }): Query<MaybeNamespace>,
    headers: HeaderMap,
    Body(body): Body<MessageBody>,
) -> Result<Json<Sent>, Refusal> {
    send(&api, Target::User(user.0), namespace, body.check(&headers)?).await
}

async fn broadcast(
    State(api): State<Api>,
    Query(MaybeNamespace { namespace }): Query<MaybeNamespace>,
    headers: HeaderMap,
    Body(body): Body<MessageBody>,
) -> Result<Json<Sent>, Refusal> {
    send(&api, Target::Everyone, namespace, body.check(&headers)?).await
}

async fn send(
    api: &Api,
    target: Target,
    namespace: Option<String>,
    content: Content,
) -> Result<Json<Sent>, Refusal> {
    if let Some(namespace) = &namespace {
        known_namespace(api, namespace)?;
    }
    let message = Arc::new(message(content));
    let id = message.id.clone();
    let command = Command::Send(target, namespace.map(Into::into), message);
    let sessions = api.backbone().command(command).wait().await?;
    Ok(Json(Sent {
        ok: true,
        id,
        sessions,
    }))
}

fn message(content: Content) -> Message {
    Message {
        room: None,
        event: content.event,
        data: content.data,
        attachments: content.attachments,
        from: None,
        id: content
            .id
            .unwrap_or_else(|| format!("{:016x}", rand::random::<u64>()).into()),
        position: None,
        read: None,
        time: unix_millis(),
        except: None,
        accepted: Instant::now(),
    }
}
