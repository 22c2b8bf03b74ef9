//! All operations behind one router.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::header,
    middleware::from_fn_with_state,
    response::IntoResponse,
    routing::{any, get},
};
use sluice_contract::Code;

use crate::{
    Api, Refusal,
    guard::{Guarded, guard},
    openapi,
    routes::routes,
};

/// Where the description is. It needs no key.
const DESCRIPTION: &str = "/v1/openapi.json";

/// The API as a router.
pub(crate) fn router(api: Api) -> Router {
    let guarded = |operation| from_fn_with_state((api.clone(), operation), guard);
    let unknown_operation = Guarded {
        name: "unknown",
        for_operator: false,
    };
    let mut router = Router::new();
    for route in routes() {
        let operation = Guarded {
            name: route.id,
            for_operator: route.for_operator,
        };
        router = router.route(route.path, route.handler.layer(guarded(operation)));
    }
    let unknown = any(|| async { unknown() }).layer(guarded(unknown_operation));
    let wrong_method = any(|| async { wrong_method() }).layer(guarded(unknown_operation));
    router
        .route(DESCRIPTION, get(describe))
        .fallback_service(unknown.with_state(()))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(api.limits().body_bytes))
        .with_state(api)
}

async fn describe() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi())
}

fn unknown() -> Refusal {
    Refusal::new(
        Code::OperationUnknown,
        "there is no such operation; GET /v1/openapi.json lists all of them, and a / within a name is written %2F",
    )
}

fn wrong_method() -> Refusal {
    Refusal::new(
        Code::MethodNotAllowed,
        "the path does not take this method; GET /v1/openapi.json lists those that it takes",
    )
}
