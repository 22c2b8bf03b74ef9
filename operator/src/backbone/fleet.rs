//! What gateways say over NATS.

use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt as _;
use serde::Deserialize;
use sluice_bucket::Connection;
use tokio::time::timeout;

/// How long gateways may take to say what they work by.
const WITHIN: Duration = Duration::from_millis(500);

/// A gateway, as gateways know each other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Gateway {
    /// Its pod's name.
    pub(crate) name: String,
    /// How many connections it holds.
    #[serde(default)]
    pub(crate) connections: u64,
    /// What it works by.
    pub(crate) policy: InForce,
}

/// The documents that a gateway works by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct InForce {
    /// Their revision over NATS; 0 for its own files.
    pub(crate) revision: u64,
    /// Why it refused newer ones, if it did.
    pub(crate) refused: Option<String>,
}

#[derive(Deserialize)]
struct Fleet {
    gateways: Vec<Gateway>,
}

/// All gateways, as one of them knows them; none where nobody answers.
pub(super) async fn ask(connection: &Connection, prefix: &str) -> Vec<Gateway> {
    let request = connection
        .client()
        .request(format!("{prefix}.api.fleet"), "".into());
    let Ok(Ok(answer)) = timeout(WITHIN, request).await else {
        return Vec::new();
    };
    let fleet: Option<Fleet> = serde_json::from_slice(&answer.payload).ok();
    fleet.map_or_else(Vec::new, |fleet| fleet.gateways)
}

/// The gateways that say that they live, as they do.
pub(crate) struct Heartbeats(Subscriber);

#[derive(Deserialize)]
struct Heartbeat {
    name: String,
}

/// Listens to all gateways from now on; `None` where that cannot be.
pub(super) async fn listen(connection: &Connection, prefix: &str) -> Option<Heartbeats> {
    let subject = format!("{prefix}.fleet");
    let subscriber = connection.client().subscribe(subject).await;
    subscriber.ok().map(Heartbeats)
}

impl Heartbeats {
    /// The name of the next one; `None` where the connection is there no more.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            let packet = self.0.next().await?;
            if let Ok(Heartbeat { name }) = serde_json::from_slice(&packet.payload) {
                return Some(name);
            }
        }
    }
}
