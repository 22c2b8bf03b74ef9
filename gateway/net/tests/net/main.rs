//! A worker over real sockets, with a WebSocket client that is not ours.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod deflate;
mod endings;
mod flushing;
mod frames;
mod handshakes;
mod http;
mod proxied;
mod support;
mod tls;
