//! The port for the platform: health, metrics, and following something in the logs.

mod trace;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, put},
};
use sluice_api::DrainPhase;
use tokio::net::TcpListener;

use crate::{drain::Drainer, gateway::Standing, metrics::Metrics, shared::Shared};

#[derive(Clone)]
struct Ops {
    metrics: Arc<Metrics>,
    drainer: Arc<Drainer>,
    shared: Arc<Shared>,
    standing: Standing,
}

/// Serves until the process ends.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    drainer: Arc<Drainer>,
    shared: Arc<Shared>,
    standing: Standing,
) {
    let router = Router::new()
        .route("/livez", get(|| async { "The gateway is alive.\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .route("/debug/trace", put(trace::begin).delete(trace::end))
        .with_state(Ops {
            metrics: Arc::new(metrics),
            drainer,
            shared,
            standing,
        });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).await {
        tracing::error!(%error, "health and metrics can no longer be reached");
    }
}

async fn ready(State(ops): State<Ops>) -> impl IntoResponse {
    match ops.drainer.phase() {
        DrainPhase::Serving if !ops.standing.is_settled() => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway does not know its fleet yet; it is ready in a few seconds.\n",
        ),
        DrainPhase::Serving | DrainPhase::Rebalance if ops.standing.is_alone() => (
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

async fn scrape(State(ops): State<Ops>) -> impl IntoResponse {
    match ops.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
