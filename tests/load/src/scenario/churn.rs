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
    growth(&mut metrics);
    bench::report("churn", settings, metrics)
}

/// What the rounds after the first have added: the first one fills pools and caches.
fn growth(metrics: &mut Metrics) {
    let rounds = || {
        metrics
            .0
            .iter()
            .filter(|(name, _)| name.starts_with("after_round_"))
    };
    let (first, last) = (rounds().next(), rounds().next_back());
    if let (Some((_, first)), Some((_, last))) = (first, last) {
        let growth = last - first;
        metrics.set("growth_after_first_round_kib", growth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_counted_from_the_first_round() {
        let mut metrics = Metrics::default();
        for (name, value) in [
            ("before", 10.0),
            ("after_round_01", 90.0),
            ("after_round_10", 95.0),
        ] {
            metrics.set(format!("{name}_kib"), value);
        }
        growth(&mut metrics);
        assert_eq!(metrics.get("growth_after_first_round_kib"), Some(5.0));
    }
}
