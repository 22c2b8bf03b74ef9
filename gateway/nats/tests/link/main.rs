//! The link: its codec by laws, and the rest with real NATS servers.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is missing"
)]

mod auth;
mod close;
mod decode;
mod encode;
mod lame_duck;
mod laws;
mod order;
mod reconnect;
mod refuse;
mod round_trip;
mod servers;
mod support;
mod tls;
