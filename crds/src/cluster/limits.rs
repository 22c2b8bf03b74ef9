use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What one connection, one user and one address may use. What is beyond a limit is refused with
/// a code that names the limit, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Limits::default")]
pub struct Limits {
    /// Connections to one gateway from one IP address (for IPv6, from one /64 network).
    #[serde(rename = "connectionsPerIP")]
    #[schemars(range(min = 1))]
    pub connections_per_ip: u32,
    /// Connections of one user, over all gateways.
    #[schemars(range(min = 1))]
    pub connections_per_user: u32,
    /// Messages that one connection may send in a second.
    #[schemars(range(min = 1))]
    pub messages_per_second: u32,
    /// Bytes of one message from a client.
    #[schemars(range(min = 128, max = 67_108_864))]
    pub payload_bytes: u32,
    /// Bytes that may wait for one connection whose client reads too slowly. What happens beyond
    /// is the room's `onSlowConsumer`.
    #[schemars(range(min = 1024))]
    pub outbound_bytes: u32,
    /// Rooms that one connection may be in at once.
    #[schemars(range(min = 1))]
    pub joins_per_connection: u32,
    /// Requests of one connection that may wait for their answer at once.
    #[schemars(range(min = 1))]
    pub in_flight: u32,
    /// The networks of proxies whose `X-Forwarded-For` is believed when a client's address is
    /// determined, as addresses with a prefix length (`10.0.0.0/8`). A header from anyone else is
    /// ignored.
    #[schemars(length(max = 64), inner(length(min = 3, max = 43)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, isCIDR(n))")
            .message("a trusted proxy is a network with its prefix length, for example 10.0.0.0/8 or fd00::/8; write one address as 192.0.2.7/32")
    )]
    pub trusted_proxies: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_ip: 100,
            connections_per_user: 10,
            messages_per_second: 50,
            payload_bytes: 65_536,
            outbound_bytes: 1_048_576,
            joins_per_connection: 1000,
            in_flight: 128,
            trusted_proxies: Vec::new(),
        }
    }
}
