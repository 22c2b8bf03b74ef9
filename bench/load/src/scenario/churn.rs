//! Rounds of connections that come, join and go: memory has to come back to where it was.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::{self, Bench, Common};
use crate::error::LoadError;
use crate::net::pool::Ignore;
use crate::report::{Metrics, Report};

/// Time for the server to see a round's connections go, before its memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct Churn {
    /// Connections in all rounds together.
    #[arg(long, default_value_t = 200_000)]
    total: usize,
    /// Connections of a round.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=19_000))]
    round: u16,
    /// Seconds after the last round before memory is read once more: longer than the server keeps
    /// anything for connections that are gone.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(..=600))]
    rest_seconds: u64,
}

pub(crate) fn run(common: &Common, settings: &Churn) -> Result<Report, LoadError> {
    let round = usize::from(settings.round);
    let mut bench = Bench::new(common, round)?;
    let mut metrics = Metrics::default();
    metrics.set("before_kib", bench.processes.resident()?);
    for number in 1..=settings.total.div_ceil(round) {
        let (connections, _) = bench.join(round, |index| format!("churn-{}", index % 100))?;
        connections.for_each(|id| bench.pool.close(id));
        bench.pool.run(SETTLE, &mut Ignore)?;
        let resident = bench.processes.resident()?;
        eprintln!("round {number}: {resident} KiB");
        metrics.set(format!("after_round_{number:02}_kib"), resident);
    }
    bench
        .pool
        .run(Duration::from_secs(settings.rest_seconds), &mut Ignore)?;
    metrics.set("after_rest_kib", bench.processes.resident()?);
    growth(&mut metrics);
    bench::report("churn", settings, metrics)
}

/// What is left in the end over what there was after the first round, which fills pools and
/// caches.
fn growth(metrics: &mut Metrics) {
    let rounds = || {
        metrics
            .0
            .iter()
            .filter(|(name, _)| name.starts_with("after_round_"))
    };
    let peak = rounds().map(|(_, value)| *value).fold(0.0, f64::max);
    let first = rounds().next().map(|(_, value)| *value);
    metrics.set("peak_kib", peak);
    if let (Some(first), Some(rest)) = (first, metrics.get("after_rest_kib")) {
        metrics.set("growth_after_first_round_kib", rest - first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_from_the_first_round_to_the_rest() {
        let mut metrics = Metrics::default();
        for (name, value) in [("round_01", 90.0), ("round_10", 195.0), ("rest", 95.0)] {
            metrics.set(format!("after_{name}_kib"), value);
        }
        growth(&mut metrics);
        assert_eq!(metrics.get("growth_after_first_round_kib"), Some(5.0));
        assert_eq!(metrics.get("peak_kib"), Some(195.0));
    }
}
