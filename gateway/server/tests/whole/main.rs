//! A whole gateway inside this process, spoken to over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod admission;
mod backend;
mod bad_input;
mod budget;
mod catching_up;
mod counting;
mod documents;
mod draining;
mod handshakes;
mod large;
mod max_payload;
mod metrics;
mod native;
mod pinging;
mod pushing;
mod recovery;
mod revocations;
mod rooms;
mod socketio;
mod store_lost;
mod storing;
mod subjects;
mod support;
mod tokens;
mod tracing;
mod wire_versions;
