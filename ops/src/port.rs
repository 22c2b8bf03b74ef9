//! The port for the platform: health and metrics.

use std::net::SocketAddr;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use prometheus::{Encoder as _, Registry, TextEncoder};
use tokio::net::TcpListener;

/// Serves until the process ends. Whoever asks is told of as a `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).await {
        tracing::error!(%error, "health and metrics can no longer be reached");
    }
}

/// All metrics, as Prometheus reads them.
///
/// # Errors
/// Where they cannot be written as text.
pub fn text(registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(text)
}

/// The answer to Prometheus.
pub fn scraped(registry: &Registry) -> Response {
    match text(registry) {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
