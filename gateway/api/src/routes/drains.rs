//! Moving connections off this gateway, all of them or some. Unlike all others, these operations are about the
//! one gateway that is asked.

use axum::{
    Json,
    extract::State,
    http::Method,
    routing::{delete, get, post},
};
use sluice_contract::Code;

use sluice_contract::{DrainProgress, DrainRequest};

use super::check_reason;
use crate::{
    Api, Refusal,
    extract::OptionalBody,
    route::{Required, Route},
};

const PATH: &str = "/v1/drain";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new("drain", Method::POST, PATH, post(start), "Begins to move connections off this gateway, all of them or as many as asked for, or changes the rate at which it does.")
            .body::<DrainRequest>(Required::No)
            .answer::<DrainProgress>()
            .for_operator()
            .of_one_gateway(),
        Route::new("undrain", Method::DELETE, PATH, delete(stop), "Ends the drain of this gateway, which takes connections again.")
            .answer::<DrainProgress>()
            .for_operator()
            .of_one_gateway(),
        Route::new("drain_progress", Method::GET, PATH, get(progress), "Says how far the drain of this gateway is.")
            .answer::<DrainProgress>()
            .for_operator()
            .of_one_gateway(),
    ]
}

async fn start(
    State(api): State<Api>,
    OptionalBody(request): OptionalBody<DrainRequest>,
) -> Result<Json<DrainProgress>, Refusal> {
    if request
        .connections_per_second
        .is_some_and(|rate| !(rate > 0.0 && rate.is_finite()))
    {
        let message = "connectionsPerSecond is not above zero; nothing would move at that rate";
        return Err(Refusal::new(Code::RateInvalid, message));
    }
    if request.connections == Some(0) {
        let message = "connections is 0, so nothing would move; leave it out to move all of them";
        return Err(Refusal::new(Code::ConnectionsInvalid, message));
    }
    check_reason(request.reason.as_deref().unwrap_or_default())?;
    Ok(Json(api.drain().start(request)))
}

async fn stop(State(api): State<Api>) -> Result<Json<DrainProgress>, Refusal> {
    api.drain().stop().map(Json).ok_or_else(|| {
        Refusal::new(
            Code::DrainFinished,
            "the gateway ends, with or without its last connections; let it be replaced",
        )
    })
}

async fn progress(State(api): State<Api>) -> Json<DrainProgress> {
    Json(api.drain().progress())
}
