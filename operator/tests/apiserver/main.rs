//! The operator against a real API server.
//!
//! There are no nodes: a test that needs a gateway to run says so in its pod's status, as a kubelet
//! would.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod applying;
mod leading;
mod moving;
mod rights;
mod rooms;
mod schema;
mod support;
mod surprises;
