//! Telling of sessions that ended: in batches, at a bounded rate, once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sluice_backend::{Batch, Body, Disconnected, Queue};
use sluice_nats::token;
use tokio::time::sleep;

use super::metrics::Metrics;
use crate::Connection;

/// The shortest time between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells of sessions until the queue is closed. While NATS is away, they wait.
pub(super) async fn tell(connection: Connection, queue: Arc<Queue>, metrics: Arc<Metrics>) {
    while let Some(batch) = queue.next().await {
        while !connection.is_connected() && !queue.is_closed() {
            sleep(PAUSE).await;
        }
        publish(&connection, batch, &metrics).await;
        queue.done();
        sleep(PAUSE).await;
    }
}

/// One message for each namespace.
async fn publish(connection: &Connection, batch: Batch, metrics: &Metrics) {
    let mut dropped = batch.dropped;
    for (namespace, sessions) in by_namespace(batch.sessions) {
        let subject = connection
            .names()
            .subject("disconnected", &token(&namespace));
        let body = Body::Disconnected {
            sessions: &sessions,
            dropped: std::mem::take(&mut dropped),
        };
        if connection
            .client()
            .publish(subject, body.bytes())
            .await
            .is_err()
        {
            metrics.dropped(sessions.len());
        }
    }
}

fn by_namespace(sessions: Vec<Disconnected>) -> BTreeMap<Arc<str>, Vec<Disconnected>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for session in sessions {
        all.entry(Arc::clone(&session.namespace))
            .or_default()
            .push(session);
    }
    all
}
