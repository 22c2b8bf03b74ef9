//! Real NATS servers for tests: started on free ports, killed, restarted, paused, drained.
//!
//! What goes wrong here is a failure of the test, so it panics with a sentence that says why.
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a part of tests"
)]

mod authority;
mod cluster;
mod folder;
mod jwt;
mod monitor;
mod ports;
mod server;
mod settings;
mod wait;

pub use self::{
    authority::Authority, cluster::Cluster, folder::Folder, jwt::Operator, ports::free_port,
    server::Server, settings::Settings, wait::until,
};
