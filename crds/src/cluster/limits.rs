use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What stock Socket.IO servers take of one message (their `maxHttpBufferSize`).
const STOCK_PAYLOAD_BYTES: u32 = 1_000_000;

/// What one connection, one user and one address may use. What is beyond a limit is refused with
/// a code that names the limit, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Limits::default")]
#[x_kube(
    validation = Rule::new("!has(self.payloadBytes) || self.payloadBytes / 3 * 4 <= self.outboundBytes")
        .message(Limits::UNDELIVERABLE)
        .field_path(".payloadBytes")
)]
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
    /// Bytes of one message from a client. Without it, 1,000,000, as stock Socket.IO servers take,
    /// or half of `outboundBytes` where that is less. With attachments in base64 a message takes a
    /// third more, and `outboundBytes` must have space for that.
    #[schemars(range(min = 128, max = 67_108_864))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u32>,
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
            payload_bytes: None,
            outbound_bytes: 4_194_304,
            joins_per_connection: 1000,
            in_flight: 128,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    /// What is said of limits by which a message may be taken that cannot be delivered.
    pub(crate) const UNDELIVERABLE: &str = "payloadBytes lets in messages that outboundBytes keeps from being delivered: have outboundBytes be twice payloadBytes, or leave payloadBytes out";

    /// Bytes of one message from a client.
    pub fn payload_bytes(&self) -> u32 {
        self.payload_bytes
            .unwrap_or_else(|| STOCK_PAYLOAD_BYTES.min(self.outbound_bytes / 2))
    }

    /// What to change where a message may be taken that cannot be delivered.
    ///
    /// An API server and `sluice-gateway check` refuse such limits. Version 0.1.0 did not, and what
    /// it has accepted goes on to be used, and is reported.
    pub fn undeliverable(&self) -> Option<&'static str> {
        (self.payload_bytes() / 3 * 4 > self.outbound_bytes).then_some(Self::UNDELIVERABLE)
    }
}
