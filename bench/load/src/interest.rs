//! What each client of a nats-server sends and gets while something else loads the servers: a
//! gateway must not get what none of its own members wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::clock;
use crate::error::LoadError;
use crate::monitor::{Monitor, Traffic};
use crate::report::{Metrics, figure};

/// Options of the helper.
#[derive(Args, Debug)]
pub(crate) struct Interest {
    /// The nats-server's monitoring port.
    #[arg(long)]
    nats_monitor: SocketAddr,
    /// How long to look.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

/// Prints each client's bytes a second as a Markdown table.
pub(crate) fn run(interest: &Interest) -> Result<(), LoadError> {
    let monitor = Monitor(interest.nats_monitor);
    let before = monitor.traffic()?;
    clock::pause(Duration::from_secs(interest.seconds));
    let seconds = interest.seconds as f64;
    println!("| client of nats-server | bytes/s to it | bytes/s from it |");
    println!("|---|---|---|");
    for (name, after) in monitor.traffic()? {
        let before = before.get(&name).copied().unwrap_or_default();
        let rate = |before: u64, after: u64| figure(after.saturating_sub(before) as f64 / seconds);
        println!(
            "| {name} | {} | {} |",
            rate(before.to_client, after.to_client),
            rate(before.from_client, after.from_client)
        );
    }
    Ok(())
}

/// What the quietest and the busiest client got while a scenario ran, in bytes a second.
pub(crate) struct Watch {
    monitor: Monitor,
    before: BTreeMap<String, Traffic>,
}

impl Watch {
    pub(crate) fn begin(monitor: Monitor) -> Result<Self, LoadError> {
        let before = monitor.traffic()?;
        Ok(Self { monitor, before })
    }

    /// Puts them into `metrics`, `seconds` after the beginning. Clients that came in between are
    /// left out.
    pub(crate) fn report(&self, seconds: f64, metrics: &mut Metrics) -> Result<(), LoadError> {
        let after = self.monitor.traffic()?;
        let got = self.before.iter().filter_map(|(name, before)| {
            let bytes = after.get(name)?.to_client.saturating_sub(before.to_client);
            Some(bytes as f64 / seconds)
        });
        let (mut least, mut most) = (f64::INFINITY, 0.0);
        for rate in got {
            least = f64::min(least, rate);
            most = f64::max(most, rate);
        }
        if least.is_finite() {
            metrics.set("nats_to_quietest_bytes_per_second", least);
            metrics.set("nats_to_busiest_bytes_per_second", most);
        }
        Ok(())
    }
}
