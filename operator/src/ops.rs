//! The port for the platform: health and metrics.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use sluice_ops::port;
use tokio::net::TcpListener;

use crate::Metrics;

#[derive(Clone)]
struct Ops {
    metrics: Metrics,
    ready: Arc<AtomicBool>,
}

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, metrics: Metrics, ready: Arc<AtomicBool>) {
    let router = Router::new()
        .route("/livez", get(|| async { "The operator is alive.\n" }))
        .route("/readyz", get(is_ready))
        .route("/metrics", get(scrape))
        .with_state(Ops { metrics, ready });
    port::serve(listener, router).await;
}

async fn is_ready(State(ops): State<Ops>) -> impl IntoResponse {
    if ops.ready.load(Ordering::Relaxed) {
        (
            StatusCode::OK,
            "The operator works, or waits for its turn.\n",
        )
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "The operator has not seen everything yet; look at its log.\n",
        )
    }
}

async fn scrape(State(ops): State<Ops>) -> Response {
    port::scraped(ops.metrics.registry())
}
