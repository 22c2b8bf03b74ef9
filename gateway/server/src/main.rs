//! `sluice-gateway`: holds WebSocket and Socket.IO connections and moves messages between them.

mod admission;
mod answer;
mod backend;
mod cli;
mod documents;
mod drain;
mod eager;
mod failure;
mod front;
mod gateway;
mod hub;
mod log;
mod mail;
mod metrics;
mod native;
mod operation;
mod ops;
mod rules;
mod shared;
mod socketio;
mod trace;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
