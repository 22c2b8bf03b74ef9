//! The webhook against a real HTTP server.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod backend;
mod bounds;
mod connects;
mod disconnects;
mod events;
mod retries;
mod rotation;
