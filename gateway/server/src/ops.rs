//! The port for the platform: health, metrics, and following something in the logs.

mod trace;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use sluice_contract::DrainPhase;
use sluice_ops::port;
use tokio::net::TcpListener;

use crate::{drain::Drainer, metrics::Metrics, readiness::Readiness, trace::Trace};

#[derive(Clone)]
struct Ops {
    metrics: Arc<Metrics>,
    drainer: Arc<Drainer>,
    trace: Arc<Trace>,
    readiness: Readiness,
}

/// Serves until the process ends.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    drainer: Arc<Drainer>,
    trace: Arc<Trace>,
    readiness: Readiness,
) {
    let router = Router::new()
        .route("/livez", get(|| async { "The gateway is alive.\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .route("/debug/trace", put(trace::begin).delete(trace::end))
        .with_state(Ops {
            metrics: Arc::new(metrics),
            drainer,
            trace,
            readiness,
        });
    port::serve(listener, router).await;
}

async fn ready(State(ops): State<Ops>) -> impl IntoResponse {
    let (status, text) = match ops.drainer.phase() {
        DrainPhase::Serving | DrainPhase::Rebalance => open(&ops.readiness),
        _ => unavailable("The gateway drains; connect to another one."),
    };
    (status, text + "\n")
}

/// The answer of a gateway that does not drain.
fn open(readiness: &Readiness) -> (StatusCode, String) {
    if let Some((reads, finalised)) = readiness.outdated() {
        return unavailable(&format!(
            "The gateway reads the wire version {} and its fleet may write {}, which cannot be undone; run a version of the gateway that reads it.",
            reads.0, finalised.0
        ));
    }
    if !readiness.is_settled() {
        return unavailable(
            "The gateway does not know its fleet yet; it is ready in a few seconds.",
        );
    }
    let text = if readiness.is_alone() {
        "The gateway takes connections. NATS is away; see that it can be reached."
    } else {
        "The gateway takes connections."
    };
    (StatusCode::OK, text.to_owned())
}

fn unavailable(text: &str) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
}

async fn scrape(State(ops): State<Ops>) -> Response {
    port::scraped(ops.metrics.registry())
}
