//! Telling of sessions that ended: in batches, at a bounded rate, until they are taken.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Shared, call::call, post::Delivery};
use crate::{
    disconnects::{Batch, Queue},
    request::Body,
};

/// The pause after a batch that the backend did not take.
const RETRY: Duration = Duration::from_secs(1);

/// Tells of sessions until the queue is closed.
pub(super) async fn run(shared: Arc<Shared>, queue: Arc<Queue>) {
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
        let requests = &shared.metrics.requests;
        requests.count(kind, started.elapsed(), told.as_ref().err());
        match told {
            Ok(_) => return,
            Err(error) if error.passes() => sleep(RETRY).await,
            Err(error) => {
                tracing::warn!(
                    code = error.code().as_str(),
                    ?error,
                    sessions = batch.sessions.len(),
                    "the backend does not want to be told of ended sessions; correct it, or set tellOnDisconnect to false"
                );
                break;
            }
        }
    }
    shared.metrics.requests.dropped(batch.sessions.len());
}
