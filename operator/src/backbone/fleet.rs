//! What gateways say over NATS.

use std::{sync::Arc, time::Duration};

use async_nats::Subscriber;
use futures_util::StreamExt as _;
use sluice_bucket::Connection;
use sluice_contract::{Decoded, FleetStatus, GatewayStatus, Heartbeat};
use tokio::time::timeout;

/// How long gateways may take to say what they work by.
const WITHIN: Duration = Duration::from_millis(500);

/// All gateways, as one of them knows them; none where nobody answers.
pub(super) async fn ask(connection: &Connection) -> Vec<GatewayStatus> {
    let subject = connection.names().operation("fleet");
    let request = connection.client().request(subject, "".into());
    let Ok(Ok(answer)) = timeout(WITHIN, request).await else {
        return Vec::new();
    };
    let fleet: Option<FleetStatus> = serde_json::from_slice(&answer.payload).ok();
    fleet.map_or_else(Vec::new, |fleet| fleet.gateways)
}

/// The gateways that say that they live, as they do.
pub(crate) struct Heartbeats(Subscriber);

/// Listens to all gateways from now on; `None` where that cannot be.
pub(super) async fn listen(connection: &Connection) -> Option<Heartbeats> {
    let subject = connection.names().heartbeats();
    let subscriber = connection.client().subscribe(subject).await;
    subscriber.ok().map(Heartbeats)
}

impl Heartbeats {
    /// The name of the next one; `None` where the connection is there no more.
    pub(crate) async fn next(&mut self) -> Option<Arc<str>> {
        loop {
            let packet = self.0.next().await?;
            if let Decoded::Known(beat) = Heartbeat::decode(&packet.payload)
                && !beat.name.is_empty()
            {
                return Some(beat.name);
            }
        }
    }
}
