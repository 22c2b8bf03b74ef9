//! What a server says of itself.

use serde::Deserialize;

/// The part of a server's `INFO` that matters to a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// The identity of this run of the server.
    pub server_id: String,
    /// The server's name.
    pub server_name: String,
    /// The server's version.
    pub version: String,
    /// The name of its cluster.
    pub cluster: Option<String>,
    /// Whether it takes messages with headers.
    pub headers: bool,
    /// The most bytes of a message that it takes, headers and payload together.
    pub max_payload: usize,
    /// Whether the connection must be encrypted.
    pub tls_required: bool,
    /// What credentials are to sign.
    pub nonce: Option<String>,
    /// Where else its cluster takes clients: `host:port`.
    pub connect_urls: Vec<String>,
    /// Whether it is about to end and wants its clients gone.
    #[serde(rename = "ldm")]
    pub lame_duck: bool,
}
