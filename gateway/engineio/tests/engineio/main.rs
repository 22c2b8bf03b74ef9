//! An engine over real sockets: workers on threads of their own, plain HTTP, and a WebSocket
//! client that is not ours.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod closing;
mod cors;
mod gateways;
mod heartbeat;
mod polling;
mod refusals;
mod support;
mod tls;
mod tunnels;
mod upgrade;
mod websocket;
mod workers;
