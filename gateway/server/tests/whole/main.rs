//! A whole gateway inside this process, spoken to over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod bad_input;
mod control;
mod counting;
mod draining;
mod metrics;
mod native;
mod recovery;
mod rooms;
mod socketio;
mod support;
mod tokens;
mod tracing;
