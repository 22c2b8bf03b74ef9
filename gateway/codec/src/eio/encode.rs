//! Packets that the server sends.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::PacketType;

/// The handshake, sent as an open packet.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open<'a> {
    /// The session's id.
    pub sid: &'a str,
    /// The transports that this session may move to.
    pub upgrades: &'a [&'a str],
    /// Milliseconds between two pings.
    pub ping_interval: u64,
    /// Milliseconds that the client has to answer a ping.
    pub ping_timeout: u64,
    /// The most bytes of a polling body.
    pub max_payload: usize,
}

/// Appends an open packet to `out`.
pub fn open(handshake: &Open<'_>, out: &mut Vec<u8>) {
    out.push(PacketType::Open as u8);
    // Strings and numbers always have a JSON form, and a Vec takes every write.
    let _ = serde_json::to_writer(out, handshake);
}

/// Appends a packet with text data, which may be empty, to `out`.
pub fn encode(kind: PacketType, data: &str, out: &mut Vec<u8>) {
    out.reserve(1 + data.len());
    out.push(kind as u8);
    out.extend_from_slice(data.as_bytes());
}

/// Appends a binary message in the form of a polling body to `out`. On a WebSocket the data
/// travels as a binary frame instead.
pub fn encode_binary(data: &[u8], out: &mut Vec<u8>) {
    out.push(b'b');
    let start = out.len();
    let size = base64::encoded_len(data.len(), true).unwrap_or(0);
    out.resize(start + size, 0);
    if let Some(target) = out.get_mut(start..) {
        // The target has exactly the size that base64 asks for.
        let _ = STANDARD.encode_slice(data, target);
    }
}
