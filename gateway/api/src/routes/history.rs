//! What was said in a room.

use std::sync::Arc;

use axum::{Json, extract::State, http::Method, routing::get};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sluice_backbone::Error;
use sluice_contract::Code;
use sluice_rooms::Message;

use super::{InRoom, at_most, first_namespace, hundred, known_room};
use crate::{
    Api, Refusal,
    extract::{Path, Query},
    route::Route,
};

/// The most messages in one answer.
const MAX_HISTORY: usize = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "history",
            Method::GET,
            "/v1/rooms/{room}/history",
            get(history),
            "Reads a room's history, oldest first.",
        )
        .query::<HistoryQuery>()
        .answer::<HistoryPage>(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// The room's namespace.
    #[serde(default = "first_namespace")]
    namespace: String,
    /// Only messages with a greater offset, from the oldest of them on.
    after: Option<u64>,
    /// Only messages with a smaller offset.
    before: Option<u64>,
    /// The most messages; without `after`, the newest.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
}

/// A part of a history.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "History")]
struct HistoryPage {
    /// Always true.
    ok: bool,
    /// The history's identity: offsets of another epoch mean nothing in this one.
    epoch: String,
    /// The messages, oldest first.
    messages: Vec<Entry>,
    /// Whether messages after `after` are no longer kept.
    truncated: bool,
}

/// A message of a history.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistoryMessage")]
struct Entry {
    /// Its offset.
    offset: u64,
    /// Its id.
    id: Box<str>,
    /// The event's name.
    event: Box<str>,
    /// The event's data.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// The publishing user; none for a backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Arc<str>>,
    /// When it was accepted, in milliseconds since 1970.
    time: u64,
    /// Binary attachments, each as base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

async fn history(
    State(api): State<Api>,
    Path(InRoom { room }): Path<InRoom>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<HistoryPage>, Refusal> {
    at_most(query.limit, MAX_HISTORY)?;
    let (room, settings) = known_room(&api, &query.namespace, &room.0)?;
    settings.history.ok_or(Error::NoHistory)?;
    let asked = sluice_rooms::Query {
        after: query.after,
        before: query.before,
        limit: query.limit,
        max_bytes: None,
    };
    let (epoch, page) = api
        .backbone()
        .history(&room, &settings, asked)
        .wait()
        .await?;
    let messages = page
        .messages
        .iter()
        .map(|message| entry(message))
        .collect::<Result<_, _>>()?;
    Ok(Json(HistoryPage {
        ok: true,
        epoch: epoch.to_string(),
        messages,
        truncated: page.truncated,
    }))
}

fn entry(message: &Message) -> Result<Entry, Refusal> {
    // Publishers' data was checked when it was accepted; a backbone may have been written to by
    // others.
    let data = RawValue::from_string(message.data.clone().into()).map_err(|_| {
        Refusal::new(
            Code::StoredDataInvalid,
            format!(
                "the message at offset {} is not JSON; read on after it",
                message.offset()
            ),
        )
    })?;
    Ok(Entry {
        offset: message.offset(),
        id: message.id.clone(),
        event: message.event.clone(),
        data,
        from: message.from.clone(),
        time: message.time,
        attachments: message
            .attachments
            .iter()
            .map(|bytes| STANDARD.encode(bytes))
            .collect(),
    })
}
