//! Socket.IO over real sockets, as a client sees it and as a handler does.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod acks;
mod attachments;
mod connecting;
mod leaving;
mod polling;
mod slow;
mod support;
