//! The gateway as its binary runs it, and as tests run it inside their own process.

mod admission;
mod applications;
mod backend;
mod cli;
mod documents;
mod drain;
mod eager;
mod embedded;
mod failure;
mod front;
mod gateway;
mod handshake;
mod holders;
mod hub;
mod in_force;
mod inboxes;
mod metrics;
mod native;
mod operation;
mod ops;
mod outcome;
mod queue_limit;
mod readiness;
mod rules;
mod shared;
mod socketio;
mod trace;

pub use cli::{command, run};
pub use embedded::Embedded;
