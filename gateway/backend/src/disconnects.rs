//! Telling of sessions that ended: in batches, at a bounded rate, from a bounded queue.

mod queue;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use queue::{Batch, Queue};
use tokio::time::sleep;

use crate::{
    WebhookError,
    call::{Delivery, call},
    request::Body,
    webhook::Shared,
};

/// The pause after a batch that the backend did not take.
const RETRY: Duration = Duration::from_secs(1);

/// Tells of sessions until the queue is closed.
pub(crate) async fn run(shared: Arc<Shared>, queue: Arc<Queue>) {
    while let Some(batch) = queue.next().await {
        tell(&shared, &queue, &batch).await;
        queue.done();
        sleep(shared.target().config.disconnects_pause).await;
    }
}

/// Tells of a batch until the backend takes it or refuses it for good, under one delivery id.
async fn tell(shared: &Shared, queue: &Queue, batch: &Batch) {
    let body = Body::Disconnected {
        sessions: &batch.sessions,
        dropped: batch.dropped,
    };
    let (kind, bytes, delivery) = (body.kind(), body.bytes(), Delivery::new(Vec::new()));
    while !queue.is_closed() {
        let started = Instant::now();
        let told = call(shared, &shared.target(), &delivery, &bytes).await;
        let outcome = told.as_ref().map_or_else(WebhookError::code, |_| "ok");
        shared.metrics.asked(kind, outcome, started.elapsed());
        match told {
            Ok(_) => return,
            Err(error) if error.passes() => sleep(RETRY).await,
            Err(error) => {
                tracing::warn!(
                    code = error.code(),
                    ?error,
                    sessions = batch.sessions.len(),
                    "the backend does not want to be told of ended sessions; correct it, or set tellOnDisconnect to false"
                );
                break;
            }
        }
    }
    shared.metrics.dropped(batch.sessions.len());
}
