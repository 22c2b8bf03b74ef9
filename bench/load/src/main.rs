//! `sluice-load` loads a Socket.IO server on this machine with many connections, measures it from
//! outside, and runs the suite that compares servers. See `docs/benchmarks.md`.

// Figures are reported with three digits; the loss of an integer's last bits is none.
#![allow(clippy::cast_precision_loss)]

mod cli;
mod clock;
mod error;
mod fleet;
mod floor;
mod http;
mod interest;
mod latency;
mod monitor;
mod net;
mod process;
mod report;
mod scenario;
mod schedule;
mod storm;
mod suite;
mod token;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluice-load: {error}");
            ExitCode::FAILURE
        }
    }
}
