//! Which gateways there are, and what the one that is asked has of the rooms.

use axum::{Json, extract::State, http::Method, routing::get};
use sluice_contract::{FleetStatus, RoomCounts};

use crate::{Api, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "fleet",
            Method::GET,
            "/v1/fleet",
            get(fleet),
            "Lists the gateways of the fleet, as the one that is asked knows them.",
        )
        .answer::<FleetStatus>()
        .for_operator(),
        Route::new(
            "rooms",
            Method::GET,
            "/v1/rooms",
            get(rooms),
            "Says what this gateway has of the rooms that each Room is for.",
        )
        .answer::<RoomCounts>()
        .for_operator()
        .of_one_gateway(),
    ]
}

async fn fleet(State(api): State<Api>) -> Json<FleetStatus> {
    let mut fleet = api.fleet().gateways();
    fleet
        .gateways
        .sort_by(|a, b| (&a.name, a.number).cmp(&(&b.name, b.number)));
    Json(fleet)
}

async fn rooms(State(api): State<Api>) -> Json<RoomCounts> {
    let mut counts = api.fleet().rooms();
    counts.rooms.sort_by(|a, b| a.name.cmp(&b.name));
    Json(counts)
}
