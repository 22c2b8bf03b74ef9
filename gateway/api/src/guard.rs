//! What every request must pass.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sluice_contract::Code;
use sluice_spans::{TRACEPARENT, failed, follow, span};
use tokio::{sync::SemaphorePermit, time::timeout};
use tracing::{Instrument as _, Span};

use crate::{Api, Refusal, newcomer::Newcomer};

/// Marks a request of somebody who was let in by other means than a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trusted;

/// What the guard has to know of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guarded {
    /// What counters, logs and traces call it.
    pub(crate) name: &'static str,
    /// Whether the operator's own key is good for it.
    pub(crate) for_operator: bool,
}

/// Lets a request of `operation` through if it has a key and there is room for it, ends it when
/// it takes too long, and counts it.
pub(crate) async fn guard(
    State((api, operation)): State<(Api, Guarded)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let _in_flight = api.metrics().enter();
    let Guarded { name, .. } = operation;
    let span = begin(name, &request);
    let response = match admit(&api, operation, &request) {
        Ok(_permit) => {
            follow(&span, |name| request.headers().get(name)?.to_str().ok());
            let answered = next.run(request).instrument(span.clone());
            match timeout(api.limits().request_time, answered).await {
                Ok(response) => response,
                Err(_) => too_slow().into_response(),
            }
        }
        Err(refusal) => refusal.into_response(),
    };
    let outcome = response
        .extensions()
        .get()
        .map_or("ok", |code: &Code| code.as_str());
    if outcome != "ok" {
        failed(&span, outcome);
        tracing::info!(
            operation = name,
            code = outcome,
            "a request to the server API was refused"
        );
    }
    api.metrics().count(name, outcome, started.elapsed());
    response
}

/// A request's span. One that reads, as the operator does all the time, has none by itself.
fn begin(operation: &str, request: &Request) -> Span {
    if request.method() == Method::GET && !request.headers().contains_key(TRACEPARENT) {
        return Span::none();
    }
    let name = format_args!("api {operation}");
    span!("api", "otel.name" = %name, "otel.kind" = "server")
}

fn admit<'a>(
    api: &'a Api,
    operation: Guarded,
    request: &Request,
) -> Result<SemaphorePermit<'a>, Refusal> {
    let trusted = request.extensions().get::<Trusted>().is_some();
    let by_operator = operation.for_operator && is_operator(api, request.headers());
    if !trusted && !by_operator {
        authorize(api, request.headers())?;
    }
    let newcomer = request.extensions().get::<Arc<Newcomer>>();
    if newcomer.is_some_and(|newcomer| !newcomer.has_key()) {
        return Err(Refusal::new(
            Code::ApiOverloaded,
            "the server API has as many connections as it may; use those that you have for several requests",
        ));
    }
    api.requests().try_acquire().map_err(|_| {
        Refusal::new(
            Code::ApiOverloaded,
            "the gateway works on as many requests as it may; send this one again after a pause",
        )
    })
}

/// Whether it is the operator who asks.
fn is_operator(api: &Api, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok()).and_then(bearer);
    given.is_some_and(|key| api.operator_keys().contain(key))
}

fn authorize(api: &Api, headers: &HeaderMap) -> Result<(), Refusal> {
    let keys = api.keys();
    if keys.is_empty() {
        return Err(Refusal::new(
            Code::ApiKeyNotConfigured,
            "the server API has no key, so it refuses everything; set spec.serverApi.keySecretRef to a Secret with one, and send it as a bearer token",
        ));
    }
    let given = headers.get(header::AUTHORIZATION).ok_or_else(|| {
        Refusal::new(
            Code::ApiKeyMissing,
            "send the API key: Authorization: Bearer <key>",
        )
    })?;
    let known = given
        .to_str()
        .ok()
        .and_then(bearer)
        .is_some_and(|key| keys.contain(key));
    known.then_some(()).ok_or_else(|| {
        Refusal::new(
            Code::ApiKeyInvalid,
            "the API key is not one of this gateway's; check the Secret that it comes from",
        )
    })
}

/// The token of an `Authorization` header (RFC 6750 section 2.1), whose scheme may be written in
/// any case (RFC 9110 section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn too_slow() -> Refusal {
    Refusal::new(
        Code::RequestTimeout,
        "the request took too long and may have been carried out; send it again, a publish with the same id",
    )
}
