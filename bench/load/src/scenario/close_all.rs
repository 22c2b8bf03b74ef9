//! Many connections end at once while others go on: what the others notice.

use std::ops::Range;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::{self, Bench, Common};
use super::open_loop;
use super::paced::Paced;
use crate::error::LoadError;
use crate::report::{Metrics, Report};

/// Connections closed in one turn of the loop. All at once would keep this thread from reading,
/// and its own pause would be measured; so it takes a few hundred milliseconds for 15,000.
const A_TURN: usize = 16;
/// The others: rooms and members of a room.
const ROOMS: usize = 10;
const MEMBERS: usize = 10;

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct CloseAll {
    /// Connections that end, spread over 100 rooms.
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Deliveries a second to the 100 others, in ten rooms of ten.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
}

pub(crate) fn run(common: &Common, settings: &CloseAll) -> Result<Report, LoadError> {
    let mut bench = Bench::new(common, settings.connections + ROOMS * (MEMBERS + 1))?;
    let rooms = open_loop::set_up(&mut bench, ROOMS, MEMBERS)?;
    let (closing, _) = bench.join(settings.connections, |index| format!("end-{}", index % 100))?;
    let mut paced = Paced::new(&bench, rooms, settings.rate / MEMBERS as u32);
    let (warm_up, measured) = (bench.warm_up, bench.measured);
    paced.run(&mut bench, warm_up, |_| false)?;
    paced.begin_window(&bench);
    paced.run(&mut bench, measured, |_| false)?;
    let took = close(&mut bench, &mut paced, closing, measured)?;
    paced.begin_window(&bench);
    paced.drain(&mut bench)?;
    bench.pool.check_none_lost()?;
    let mut metrics = Metrics::default();
    metrics.set("closing_took_ms", took.as_secs_f64() * 1e3);
    metrics.set("lost_deliveries", paced.missing() as f64);
    for (window, name) in paced
        .finish()?
        .iter()
        .zip(["warm_up", "before", "during"])
        .skip(1)
    {
        window.report(name, &mut metrics);
    }
    bench::report("close-all", settings, metrics)
}

/// Closes `closing` as fast as the loop goes round, then serves the rest of `period`; how long
/// the closing took.
fn close(
    bench: &mut Bench,
    paced: &mut Paced,
    mut closing: Range<usize>,
    period: Duration,
) -> Result<Duration, LoadError> {
    let began = bench.clock.now();
    let mut closed = began;
    paced.begin_window(bench);
    paced.run(bench, period, |bench| {
        if closing.is_empty() {
            return false;
        }
        closing
            .by_ref()
            .take(A_TURN)
            .for_each(|id| bench.pool.close(id));
        closed = bench.clock.now();
        true
    })?;
    Ok(Duration::from_nanos(closed - began))
}
