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
    match ops.drainer.phase() {
        DrainPhase::Serving if !ops.readiness.is_settled() => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway does not know its fleet yet; it is ready in a few seconds.\n",
        ),
        DrainPhase::Serving | DrainPhase::Rebalance if ops.readiness.is_alone() => (
            StatusCode::OK,
            "The gateway takes connections. NATS is away; see that it can be reached.\n",
        ),
        DrainPhase::Serving | DrainPhase::Rebalance => {
            (StatusCode::OK, "The gateway takes connections.\n")
        }
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway drains; connect to another one.\n",
        ),
    }
}

async fn scrape(State(ops): State<Ops>) -> Response {
    port::scraped(ops.metrics.registry())
}
