//! The server API over a real socket, with the memory backbone and sessions that only pretend.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod admission;
mod calls;
mod commands;
mod description;
mod drain;
mod harness;
mod messages;
mod reads;
mod revocations;
