//! Programs that tests run: ours, and those that are not of this repository.
//!
//! What goes wrong here is a failure of the test, so it panics with a sentence that says why.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a part of tests"
)]

mod built;
mod found;

pub use self::{built::gateway, found::program};
