//! Who is in a room.

use std::sync::Arc;

use axum::{Json, extract::State, http::Method, routing::get};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluice_contract::Code;
use sluice_rooms::PresenceMode;

use super::{InRoom, at_most, first_namespace, known_room};
use crate::{
    Api, Refusal,
    extract::{Path, Query},
    route::Route,
};

/// The most users in one answer.
const MAX_USERS: usize = 10_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "presence",
            Method::GET,
            "/v1/rooms/{room}/presence",
            get(presence),
            "Says who is in a room.",
        )
        .query::<PresenceQuery>()
        .answer::<Present>(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PresenceQuery {
    /// The room's namespace.
    #[serde(default = "first_namespace")]
    namespace: String,
    /// The most users to name; all are counted.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10_000))]
    limit: usize,
}

fn thousand() -> usize {
    1000
}

/// Who is in a room.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Presence")]
struct Present {
    /// Always true.
    ok: bool,
    /// Users, in no order, up to the limit.
    users: Vec<Arc<str>>,
    /// How many users there are.
    count: usize,
}

async fn presence(
    State(api): State<Api>,
    Path(InRoom { room }): Path<InRoom>,
    Query(query): Query<PresenceQuery>,
) -> Result<Json<Present>, Refusal> {
    at_most(query.limit, MAX_USERS)?;
    let (room, settings) = known_room(&api, &query.namespace, &room.0)?;
    if settings.presence == PresenceMode::Off {
        return Err(Refusal::new(
            Code::NoPresence,
            "the room shows nobody who is in it; set presence.enabled in its Room",
        ));
    }
    let members = api.backbone().members(&room, query.limit).wait().await?;
    Ok(Json(Present {
        ok: true,
        users: members.users,
        count: members.count,
    }))
}
