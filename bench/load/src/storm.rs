//! The storm: all connections are on one of three gateways, which is drained, or killed. How fast
//! the others take them, how long each client is away, and whether all come back.

mod backoff;
mod balancer;
mod client;
mod gateways;
mod socket;
mod tally;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

use self::balancer::Balancer;
use self::client::{Client, publish};
use self::gateways::Gateways;
use self::tally::Tally;
use crate::error::LoadError;
use crate::report::Report;
use crate::scenario::bench::{check_limit, report};
use crate::suite::runner;
use crate::suite::server::KEY;
use crate::token::Tokens;

/// How often the clients' state is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long the connections may take to be there in the beginning, and a message to reach all.
const PATIENCE: Duration = Duration::from_mins(2);

/// Options of the storm.
#[derive(Args, Debug, Serialize)]
pub(crate) struct Storm {
    /// Clients, all of them at one gateway in the beginning; fewer than 20,000.
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Members of a room.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    members: u16,
    /// What happens to their gateway; both, one after the other, without it.
    #[arg(long, value_enum)]
    cause: Option<Cause>,
    /// Seconds that the clients may take to be back.
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
    /// The cores that gateways and nats-server run on, as taskset has them.
    #[arg(long, default_value_t = 0)]
    server_core: u32,
    #[arg(
        long,
        env = "SLUICE_GATEWAY_BINARY",
        default_value = "target/release/sluice-gateway"
    )]
    gateway: PathBuf,
    #[arg(long, env = "NATS_SERVER", default_value = "nats-server")]
    nats_server: PathBuf,
    /// Where the JSON results go, a line each; stdout without it.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    json: Option<PathBuf>,
}

/// What happens to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Cause {
    /// SIGTERM: it moves its connections, and ends.
    Drain,
    /// SIGKILL.
    Kill,
}

/// What all clients of a storm share.
struct Shared {
    balancer: Balancer,
    tally: Tally,
    tokens: Tokens,
}

/// Runs the storm in the current directory, the project's.
pub(crate) fn run(storm: &Storm) -> Result<(), LoadError> {
    check_limit(storm.connections + 100)?;
    std::fs::create_dir_all(runner::SCRATCH)?;
    let causes = storm
        .cause
        .map_or(vec![Cause::Drain, Cause::Kill], |one| vec![one]);
    for cause in causes {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let report = LocalSet::new().block_on(&runtime, once(storm, cause))?;
        report.publish(storm.json.as_deref())?;
    }
    Ok(())
}

/// One storm over a new fleet.
async fn once(storm: &Storm, cause: Cause) -> Result<Report, LoadError> {
    let mut gateways = Gateways::start(storm).await?;
    let shared = Rc::new(Shared {
        balancer: Balancer::default(),
        tally: Tally::new(storm.connections),
        tokens: Tokens::signing(KEY.as_ref())?,
    });
    shared.balancer.serve(&gateways.addresses()[..1]);
    for number in 0..storm.connections {
        let room = room(number / usize::from(storm.members));
        let client = Client::new(number, room, &shared)?;
        spawn_local(client.live(Rc::clone(&shared)));
    }
    // One at a time beyond what a listener's queue holds would be refused, which is not the storm.
    until("all clients in their rooms", PATIENCE, || {
        shared.tally.inside() == storm.connections
    })
    .await?;
    everyone_hears(storm, &gateways, &shared, 1).await?;
    let watching = spawn_local(balancer::watch(gateways.endpoints(), Rc::clone(&shared)));
    sleep(balancer::PROBE * 2).await;
    shared.tally.begin();
    gateways.end_first(cause).await?;
    let limit = Duration::from_secs(storm.limit);
    // Who is not back by then is in the figures.
    let back = || shared.tally.storm_is_over();
    let _ = until("all clients back", limit, back).await;
    let heard = everyone_hears(storm, &gateways, &shared, 2).await;
    watching.abort();
    let metrics = shared.tally.metrics(heard.is_ok());
    gateways.stop().await?;
    report("storm", &(storm, cause), metrics)
}

/// Publishes to every room; an error if not all clients get it.
async fn everyone_hears(
    storm: &Storm,
    gateways: &Gateways,
    shared: &Rc<Shared>,
    round: u32,
) -> Result<(), LoadError> {
    let rooms = storm.connections.div_ceil(usize::from(storm.members));
    let address = gateways.addresses().last().copied();
    let address = address.ok_or_else(|| LoadError::Suite("there is no gateway".to_owned()))?;
    publish(address, (0..rooms).map(room), round, shared).await?;
    let heard = || shared.tally.heard(round) == storm.connections;
    until(
        "a message to reach all clients",
        Duration::from_secs(30),
        heard,
    )
    .await
}

fn room(number: usize) -> String {
    format!("storm-{number}")
}

async fn until(what: &str, patience: Duration, holds: impl Fn() -> bool) -> Result<(), LoadError> {
    let end = Instant::now() + patience;
    while !holds() {
        if Instant::now() > end {
            return Err(LoadError::Suite(format!(
                "this took longer than {patience:?}: {what}"
            )));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
