//! Telling of sessions that ended: in batches, at a bounded rate, once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_nats::Client;
use sluice_contract::Names;
use tokio::time::sleep;

use super::is_connected;
use crate::{
    Disconnected,
    disconnects::{Batch, Queue},
    metrics::RequestMetrics,
    request::Body,
};

/// The shortest time between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells of sessions until the queue is closed. While NATS is away, they wait.
pub(super) async fn tell(
    client: Client,
    names: Names,
    queue: Arc<Queue>,
    metrics: Arc<RequestMetrics>,
) {
    while let Some(batch) = queue.next().await {
        while !is_connected(&client) && !queue.is_closed() {
            sleep(PAUSE).await;
        }
        publish(&client, &names, batch, &metrics).await;
        queue.done();
        sleep(PAUSE).await;
    }
}

/// One message for each namespace.
async fn publish(client: &Client, names: &Names, batch: Batch, metrics: &RequestMetrics) {
    let mut dropped = batch.dropped;
    for (namespace, sessions) in by_namespace(batch.sessions) {
        let subject = names.disconnected(&namespace);
        let body = Body::Disconnected {
            sessions: &sessions,
            dropped: std::mem::take(&mut dropped),
        };
        if client.publish(subject, body.bytes()).await.is_err() {
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
