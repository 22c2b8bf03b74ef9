//! Which gateways there are, and what the one that is asked has of the rooms.

use axum::{Json, extract::State, http::Method, routing::get};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Api, GatewayStatus, RoomCount, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "fleet",
            Method::GET,
            "/v1/fleet",
            get(fleet),
            "Lists the gateways of the fleet, as the one that is asked knows them.",
        )
        .answer::<Gateways>(),
        Route::new(
            "rooms",
            Method::GET,
            "/v1/rooms",
            get(rooms),
            "Says what this gateway has of the rooms that each Room is for.",
        )
        .answer::<Counted>(),
    ]
}

/// The gateways of the fleet.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Fleet")]
struct Gateways {
    /// Always true.
    ok: bool,
    /// The gateways, by name.
    gateways: Vec<GatewayStatus>,
}

async fn fleet(State(api): State<Api>) -> Json<Gateways> {
    let mut gateways = api.fleet().gateways();
    gateways.sort_by(|a, b| (&a.name, &a.number).cmp(&(&b.name, &b.number)));
    Json(Gateways { ok: true, gateways })
}

/// What a gateway has of the rooms.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rooms")]
struct Counted {
    /// Always true.
    ok: bool,
    /// Whether this gateway can store messages of rooms with history: it is connected to NATS, and
    /// their stream has a leader.
    stores: bool,
    /// The Rooms, by name.
    rooms: Vec<RoomCount>,
}

async fn rooms(State(api): State<Api>) -> Json<Counted> {
    let mut counts = api.fleet().rooms();
    counts.rooms.sort_by(|a, b| a.name.cmp(&b.name));
    Json(Counted {
        ok: true,
        stores: counts.stores,
        rooms: counts.rooms,
    })
}
