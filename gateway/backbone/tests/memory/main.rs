//! The memory backbone, as the workers of a gateway use it.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod history;
mod model;
mod order;
mod presence;
mod recovery;
mod sessions;
mod support;
