//! A publisher that is faster than some members of its room, which do not read at all: what the
//! members that do read notice, and what the server's memory does.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::{self, Bench, Common};
use super::paced::{Paced, Rooms};
use crate::error::LoadError;
use crate::net::pool::Ignore;
use crate::report::{Metrics, Report};

const ROOM: &str = "slow";

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct SlowConsumers {
    /// Members that read.
    #[arg(long, default_value_t = 20)]
    readers: usize,
    /// Members that stop reading after they have joined.
    #[arg(long, default_value_t = 20)]
    stalled: usize,
    /// Publications a second. With `--payload-bytes 4096` and the 1000 that are the default, a
    /// stalled member's socket buffers are full within a few seconds.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
}

/// Time in which members that read again take what was kept for them, or find themselves closed.
const CATCH_UP: Duration = Duration::from_secs(2);

pub(crate) fn run(common: &Common, settings: &SlowConsumers) -> Result<Report, LoadError> {
    let mut bench = Bench::new(common, settings.readers + settings.stalled + 1)?;
    let mut paced = without_stalled(&mut bench, settings)?;
    let mut metrics = Metrics::default();
    let (stalled, _) = bench.join(settings.stalled, |_| ROOM.to_owned())?;
    stalled
        .clone()
        .for_each(|id| bench.pool.set_reading(id, false, &mut Ignore));
    metrics.set("peak_growth_kib", with_stalled(&mut bench, &mut paced)?);
    bench.pool.check_none_lost()?;

    stalled
        .clone()
        .for_each(|id| bench.pool.set_reading(id, true, &mut Ignore));
    bench.pool.run(CATCH_UP, &mut Ignore)?;
    let ended = stalled.filter(|id| !bench.pool.is_open(*id)).count();
    metrics.set("stalled_ended_by_server", ended as f64);
    metrics.set("lost_deliveries", paced.missing() as f64);
    for (window, name) in paced
        .finish()?
        .iter()
        .zip(["warm_up", "without", "with"])
        .skip(1)
    {
        window.report(name, &mut metrics);
    }
    bench::report("slow-consumers", settings, metrics)
}

/// Warms up and measures the members that read, alone.
fn without_stalled(bench: &mut Bench, settings: &SlowConsumers) -> Result<Paced, LoadError> {
    bench.join(settings.readers, |_| ROOM.to_owned())?;
    let first_publisher = bench.connect(1)?.start;
    let names = vec![ROOM.to_owned()];
    let rooms = Rooms {
        names,
        members: settings.readers,
        first_publisher,
        publishers: 1,
    };
    let mut paced = Paced::new(bench, rooms, settings.rate);
    paced.run(bench, bench.warm_up, |_| false)?;
    paced.begin_window(bench);
    paced.run(bench, bench.measured, |_| false)?;
    paced.drain(bench)?;
    Ok(paced)
}

/// Measures the same while the stalled members are there; the most that the server's memory grew,
/// looked at once a second.
fn with_stalled(bench: &mut Bench, paced: &mut Paced) -> Result<f64, LoadError> {
    let before = bench.processes.resident()?;
    let mut peak = before;
    paced.resume(bench);
    for _ in 0..bench.measured.as_secs() {
        paced.run(bench, Duration::from_secs(1), |_| false)?;
        peak = peak.max(bench.processes.resident()?);
    }
    paced.drain(bench)?;
    Ok(peak - before)
}
