//! A real API server for tests: `etcd` and `kube-apiserver` on free ports of this machine, and,
//! where a test asks for it, `kube-controller-manager`. There are no nodes: whoever wants a pod to
//! run says so in its status.
//!
//! What goes wrong here is a failure of the test, so it panics with a sentence that says why.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a part of tests"
)]

mod certificate;
mod count;
mod program;
mod server;
mod wait;

pub use self::{
    server::{ApiServer, Options},
    wait::until,
};
