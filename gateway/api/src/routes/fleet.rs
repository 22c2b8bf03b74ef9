//! Which gateways there are.

use axum::{Json, extract::State, http::Method, routing::get};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Api, GatewayStatus, route::Route};

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
