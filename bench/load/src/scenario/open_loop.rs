//! Many small rooms at a fixed rate of deliveries, whatever the server's pace: latency from the
//! intended send time, and how much of the load arrived while it lasted.

use clap::Args;
use serde::Serialize;

use super::bench::{self, Bench, Common};
use super::paced::{Paced, Rooms};
use crate::error::LoadError;
use crate::interest::Watch;
use crate::report::{Metrics, Report};

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct OpenLoop {
    /// Rooms, each with a publisher outside it.
    #[arg(long, default_value_t = 50)]
    rooms: usize,
    /// Members of a room.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    members: u32,
    /// Deliveries a second, over all rooms.
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
}

pub(crate) fn run(common: &Common, settings: &OpenLoop) -> Result<Report, LoadError> {
    let members = settings.members as usize;
    let mut bench = Bench::new(common, settings.rooms * (members + 1))?;
    let rooms = set_up(&mut bench, settings.rooms, members)?;
    let mut paced = Paced::new(&bench, rooms, settings.rate / settings.members);
    let (warm_up, measured) = (bench.warm_up, bench.measured);
    paced.run(&mut bench, warm_up, |_| false)?;
    let watch = common.monitor().map(Watch::begin).transpose()?;
    let usage = bench.processes.usage()?;
    paced.begin_window(&bench);
    paced.run(&mut bench, measured, |_| false)?;
    let used = bench.processes.since(&usage)?;
    let mut metrics = Metrics::default();
    if let Some(watch) = watch {
        watch.report(used.elapsed, &mut metrics)?;
    }
    paced.begin_window(&bench);
    paced.drain(&mut bench)?;
    bench.pool.check_none_lost()?;
    metrics.set("lost_deliveries", paced.missing() as f64);
    if let Some(window) = paced.finish()?.get(1) {
        metrics.throughput("deliveries", window.received, &used);
        let achieved = 100.0 * window.received as f64 / window.due.max(1) as f64;
        metrics.set("achieved_percent", achieved.min(100.0));
        window.report("delivery", &mut metrics);
    }
    bench::report("open-loop", settings, metrics)
}

/// `rooms` rooms of `members`, and a publisher outside each. A room's members follow each other, so
/// that they are spread over all servers.
pub(crate) fn set_up(bench: &mut Bench, rooms: usize, members: usize) -> Result<Rooms, LoadError> {
    let name = |room: usize| format!("paced-{room}");
    bench.join(rooms * members, |index| name(index / members))?;
    let first_publisher = bench.connect(rooms)?.start;
    Ok(Rooms {
        names: (0..rooms).map(name).collect(),
        members,
        first_publisher,
        publishers: rooms,
    })
}
