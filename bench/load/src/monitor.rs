//! What a nats-server says of itself on its monitoring port.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::LoadError;
use crate::http;
use crate::report::Metrics;

/// A nats-server's monitoring port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monitor(pub(crate) SocketAddr);

/// Bytes that went through a connection since it was opened, as the server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// From the client to the server.
    pub(crate) from_client: u64,
    /// From the server to the client.
    pub(crate) to_client: u64,
}

#[derive(Deserialize)]
struct Varz {
    subscriptions: f64,
    slow_consumers: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Jsz {
    streams: f64,
    consumers: f64,
    messages: f64,
}

#[derive(Deserialize)]
struct Connz {
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    cid: u64,
    #[serde(default)]
    name: String,
    in_bytes: u64,
    out_bytes: u64,
}

impl Monitor {
    /// Subscriptions, streams and consumers, as `nats_…`.
    pub(crate) fn report(self, metrics: &mut Metrics) -> Result<(), LoadError> {
        let varz: Varz = self.get("/varz")?;
        let jsz: Jsz = self.get("/jsz?consumers=true")?;
        metrics.set("nats_subscriptions", varz.subscriptions);
        metrics.set("nats_slow_consumers", varz.slow_consumers);
        metrics.set("nats_jetstream_streams", jsz.streams);
        metrics.set("nats_jetstream_consumers", jsz.consumers);
        metrics.set("nats_jetstream_messages", jsz.messages);
        Ok(())
    }

    /// Each client's traffic. Connections of one name are added up; one without a name has its
    /// number.
    pub(crate) fn traffic(self) -> Result<BTreeMap<String, Traffic>, LoadError> {
        let connz: Connz = self.get("/connz?limit=10000")?;
        Ok(by_name(connz))
    }

    fn get<T: DeserializeOwned>(self, path: &str) -> Result<T, LoadError> {
        let failed =
            |error| LoadError::Suite(format!("nats-server at {} says nothing: {error}", self.0));
        let body = http::get(self.0, path).map_err(failed)?;
        serde_json::from_str(&body).map_err(|source| LoadError::Format {
            path: path.into(),
            source,
        })
    }
}

fn by_name(connz: Connz) -> BTreeMap<String, Traffic> {
    let mut all = BTreeMap::<String, Traffic>::new();
    for connection in connz.connections {
        let name = match connection.name {
            name if name.is_empty() => format!("connection {}", connection.cid),
            name => name,
        };
        let traffic = all.entry(name).or_default();
        traffic.from_client += connection.in_bytes;
        traffic.to_client += connection.out_bytes;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_of_one_name_is_added_up() {
        let json = r#"{"connections": [
            {"cid": 4, "name": "a", "in_bytes": 1, "out_bytes": 10},
            {"cid": 5, "in_bytes": 2, "out_bytes": 20},
            {"cid": 6, "name": "a", "in_bytes": 4, "out_bytes": 40}]}"#;
        let traffic = by_name(serde_json::from_str(json).unwrap());
        let of = |from_client, to_client| Traffic {
            from_client,
            to_client,
        };
        assert_eq!(traffic["a"], of(5, 50));
        assert_eq!(traffic["connection 5"], of(2, 20));
    }
}
