//! The operator against a real API server.
//!
//! There are no nodes: a test that needs a gateway to run says so in its pod's status, as a kubelet
//! would.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "apiserver/applying.rs"]
mod applying;
#[path = "gateways/binary.rs"]
mod binary;
#[path = "apiserver/leading.rs"]
mod leading;
#[path = "apiserver/moving.rs"]
mod moving;
#[path = "apiserver/rights.rs"]
mod rights;
#[path = "apiserver/rooms.rs"]
mod rooms;
#[path = "apiserver/schema.rs"]
mod schema;
#[path = "apiserver/support.rs"]
mod support;
#[path = "apiserver/surprises.rs"]
mod surprises;
#[path = "apiserver/written.rs"]
mod written;
