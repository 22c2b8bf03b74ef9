//! How much a client may use.

mod bucket;
mod proxies;

pub use bucket::{Rate, TokenBucket};
pub use proxies::{ProxyError, TrustedProxies};

/// What one connection, one user and one address may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections to one gateway from one address; see [`sluice_util::counted_address`].
    pub connections_per_ip: u32,
    /// Connections of one user, over all gateways.
    pub connections_per_user: u32,
    /// Messages a connection may send.
    pub messages: Rate,
    /// Bytes of one message from a client.
    pub payload_bytes: usize,
    /// Bytes that may wait for one connection.
    pub outbound_bytes: usize,
    /// Rooms that one connection may be in at once.
    pub joins_per_connection: u32,
    /// Requests of one connection that may wait for their answer at once.
    pub in_flight: u32,
    /// The proxies whose word about a client's address is believed.
    pub trusted_proxies: TrustedProxies,
}
