//! Connections that do nothing: what one costs in memory, how fast they come, and what a server
//! does with its time while none of them speaks.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::{self, Bench, Common};
use crate::error::LoadError;
use crate::net::pool::Ignore;
use crate::report::{Metrics, Report};

/// Time for the server to finish what the last join began, before its memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct Idle {
    /// Connections, set up as fast as the server takes them.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Rooms, which the connections join in turn.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Seconds of idleness over which CPU is measured; 0 leaves it out.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(..=3600))]
    quiet_seconds: u64,
}

pub(crate) fn run(common: &Common, settings: &Idle) -> Result<Report, LoadError> {
    let mut bench = Bench::new(common, settings.connections)?;
    let mut metrics = Metrics::default();
    let count = settings.connections as f64;
    let before = bench.processes.resident()?;
    let usage = bench.processes.usage()?;
    let rooms = settings.rooms as usize;
    let (_, took) = bench.join(settings.connections, |index| {
        format!("idle-{}", index % rooms)
    })?;
    let used = bench.processes.since(&usage)?;
    metrics.set("accepts_per_second", count / took.as_secs_f64());
    metrics.set(
        "set_up_server_cpu_ms_per_connection",
        used.server * 1e3 / count,
    );
    bench.pool.run(SETTLE, &mut Ignore)?;
    metrics.set(
        "kib_per_connection",
        (bench.processes.resident()? - before) / count,
    );
    if settings.quiet_seconds > 0 {
        idle(&mut bench, settings.quiet_seconds, &mut metrics)?;
        metrics.set(
            "idle_kib_per_connection",
            (bench.processes.resident()? - before) / count,
        );
    }
    bench.pool.check_none_lost()?;
    bench::report("idle", settings, metrics)
}

fn idle(bench: &mut Bench, seconds: u64, metrics: &mut Metrics) -> Result<(), LoadError> {
    let usage = bench.processes.usage()?;
    bench.pool.run(Duration::from_secs(seconds), &mut Ignore)?;
    let used = bench.processes.since(&usage)?;
    metrics.set("idle_cpu_seconds", used.server);
    metrics.set("idle_cpu_percent", 100.0 * used.server / used.elapsed);
    Ok(())
}
