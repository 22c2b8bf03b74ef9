//! More connections than one process may open: several processes hold a part of them each, all of
//! them members of rooms that a trickle of messages goes through. With few members a room and
//! several rooms a connection it shows what rooms cost.

pub(crate) mod part;
mod parts;

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::part::{Outcome, Ready};
use self::parts::Parts;
use super::bench::{self, Common};
use crate::clock;
use crate::error::LoadError;
use crate::latency::Latency;
use crate::process::Processes;
use crate::report::{Metrics, Report};

/// Time for the servers to finish what the last join began, before their memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What the scenario is run with.
#[derive(Args, Clone, Debug, Serialize)]
pub(crate) struct Hold {
    /// Connections in all parts together.
    #[arg(long, default_value_t = 50_000)]
    connections: usize,
    /// Processes that hold them, each fewer than 20,000.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    parts: u16,
    /// Rooms that a connection joins, one after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    joins: u16,
    /// Members of a room, spread over the servers.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    members: u16,
    /// Deliveries a second in all parts together, to all rooms in random order.
    #[arg(long, default_value_t = 5000)]
    rate: u32,
    /// Which part this process is; set by the process that starts the parts.
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub(crate) part: Option<u16>,
}

/// Runs all parts, or the one that `settings` names; that one reports to the process that started
/// it, and has no report of its own.
pub(crate) fn run(common: &Common, settings: &Hold) -> Result<Option<Report>, LoadError> {
    if let Some(number) = settings.part {
        part::run(common, settings, number, std::io::stdout())?;
        return Ok(None);
    }
    let processes = common.processes();
    let mut metrics = Metrics::default();
    let memory = Memory::read(&processes)?;
    let mut parts = Parts::start(settings.parts)?;
    let ready: Vec<Ready> = parts.hear_all()?;
    set_up(&ready, &mut metrics);
    let connections = ready.iter().map(|part| part.connections).sum::<usize>();
    clock::pause(SETTLE);
    memory.report("", connections, &processes, &mut metrics)?;
    if let Some(monitor) = common.monitor() {
        monitor.report(&mut metrics)?;
    }
    parts.go()?;
    let usage = processes.usage()?;
    let outcomes: Vec<Outcome> = parts.hear_all()?;
    let used = processes.since(&usage)?;
    metrics.set("loaded_cpu_percent", 100.0 * used.server / used.elapsed);
    metrics.set("other_cpu_percent", 100.0 * used.others / used.elapsed);
    memory.report("loaded_", connections, &processes, &mut metrics)?;
    parts.finish()?;
    deliveries(&outcomes, &mut metrics);
    bench::report("hold", settings, metrics).map(Some)
}

/// How fast all parts together came to where they are: the slowest counts.
fn set_up(ready: &[Ready], metrics: &mut Metrics) {
    let sum = |of: fn(&Ready) -> usize| ready.iter().map(of).sum::<usize>() as f64;
    let seconds = ready.iter().map(|part| part.seconds).fold(0.0, f64::max);
    metrics.set("connections", sum(|part| part.connections));
    metrics.set("rooms", sum(|part| part.rooms));
    metrics.set("set_up_seconds", seconds);
    metrics.set("accepts_per_second", sum(|part| part.connections) / seconds);
    metrics.set("joins_per_second", sum(|part| part.joins) / seconds);
}

/// Memory before anything was connected, in KiB.
struct Memory {
    servers: Vec<f64>,
    brokers: Option<f64>,
}

impl Memory {
    fn read(processes: &Processes) -> Result<Self, LoadError> {
        Ok(Self {
            servers: processes.resident_each()?,
            brokers: processes.broker_resident()?,
        })
    }

    /// What there is now, a connection and by process, with `prefix` before the names.
    fn report(
        &self,
        prefix: &str,
        connections: usize,
        processes: &Processes,
        metrics: &mut Metrics,
    ) -> Result<(), LoadError> {
        let now = Self::read(processes)?;
        let grown = now.servers.iter().sum::<f64>() - self.servers.iter().sum::<f64>();
        metrics.set(
            format!("{prefix}kib_per_connection"),
            grown / connections.max(1) as f64,
        );
        for (number, (before, now)) in self.servers.iter().zip(&now.servers).enumerate() {
            metrics.set(format!("server_{number}_before_kib"), *before);
            metrics.set(format!("{prefix}server_{number}_kib"), *now);
        }
        if let Some((before, now)) = self.brokers.zip(now.brokers) {
            metrics.set("broker_before_kib", before);
            metrics.set(format!("{prefix}broker_kib"), now);
        }
        Ok(())
    }
}

/// What all parts together got.
fn deliveries(outcomes: &[Outcome], metrics: &mut Metrics) {
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>() as f64;
    let (mut latency, mut lateness) = (Latency::new(), Latency::new());
    for outcome in outcomes {
        latency.add(&outcome.latency);
        lateness.add(&outcome.lateness);
    }
    let due = sum(|part| part.due).max(1.0);
    metrics.set(
        "achieved_percent",
        (100.0 * sum(|part| part.received) / due).min(100.0),
    );
    metrics.set("deliveries", sum(|part| part.received));
    metrics.set("lost_deliveries", sum(|part| part.lost));
    latency.report("delivery", metrics);
    metrics.set(
        "delivery_generator_late_p99_ms",
        lateness.milliseconds(0.99),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_part_decides_how_long_it_took() {
        let part = |seconds| Ready {
            connections: 100,
            rooms: 50,
            joins: 200,
            seconds,
        };
        let mut metrics = Metrics::default();
        set_up(&[part(1.0), part(2.0)], &mut metrics);
        assert_eq!(metrics.get("accepts_per_second"), Some(100.0));
        assert_eq!(metrics.get("joins_per_second"), Some(200.0));
    }

    #[test]
    fn what_one_part_has_lost_is_lost_for_all() {
        let part = |lost, milliseconds: u64| Outcome {
            due: 10,
            received: 10 - lost,
            lost,
            latency: vec![(milliseconds * 1_000_000, 10 - lost)],
            lateness: Vec::new(),
        };
        let mut metrics = Metrics::default();
        deliveries(&[part(0, 1), part(5, 100)], &mut metrics);
        assert_eq!(metrics.get("lost_deliveries"), Some(5.0));
        assert_eq!(metrics.get("achieved_percent"), Some(75.0));
        assert!(metrics.get("delivery_p99_ms").unwrap() > 99.0);
        assert!(metrics.get("delivery_p50_ms").unwrap() < 1.1);
    }
}
