//! The suite behind `bench/fleet`: three servers and a broker on one core, the generator on
//! another, each run with processes of its own, in interleaved rounds.

pub(crate) mod broker;
mod columns;
pub(crate) mod config;
mod contender;
mod plan;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::broker::Broker;
use self::contender::Contender;
use crate::error::LoadError;
use crate::report::Report;
use crate::suite::launch::Server;
use crate::suite::options::Options;
use crate::suite::plan::Step;
use crate::suite::{self, generator, runner, table};

/// Servers of a fleet.
const SERVERS: usize = 3;

/// Options of the fleet's suite.
#[derive(Args, Debug)]
pub(crate) struct FleetSuite {
    /// Leaves out all other servers; may be given more than once.
    #[arg(long, value_enum, value_name = "SERVER")]
    only: Vec<Contender>,
    /// What the result file is called, behind the date.
    #[arg(long, default_value = "fleet")]
    name: String,
    #[command(flatten)]
    tools: Tools,
    #[command(flatten)]
    options: Options,
}

/// Where the programs are that are not built here. A server that needs a missing one is left out.
#[derive(Args, Debug)]
pub(crate) struct Tools {
    #[arg(long, env = "NATS_SERVER", value_name = "FILE")]
    nats_server: Option<PathBuf>,
    #[arg(long, env = "REDIS_SERVER", value_name = "FILE")]
    redis_server: Option<PathBuf>,
    #[arg(long, env = "CENTRIFUGO", value_name = "FILE")]
    centrifugo: Option<PathBuf>,
}

impl Tools {
    /// With this nats-server, and nothing else.
    pub(crate) fn nats(nats_server: &Path) -> Self {
        Self {
            nats_server: Some(nats_server.to_owned()),
            redis_server: None,
            centrifugo: None,
        }
    }
}

/// Runs the suite in the current directory, the project's.
pub(crate) fn run(fleet: &FleetSuite) -> Result<(), LoadError> {
    std::fs::create_dir_all(runner::SCRATCH)?;
    let contenders = offered(fleet);
    let steps = suite::plan::select(&plan::STEPS, &fleet.options.scenario);
    let once = async |step: &Step, contender| once(fleet, step, contender).await.map(Some);
    let rounds = runner::rounds(&fleet.options, &steps, &contenders, Contender::name, once);
    let results = suite::to_the_end(rounds)?;
    let names: Vec<&str> = contenders
        .iter()
        .map(|contender| contender.name())
        .collect();
    let tables = table::tables(&results, &names, &columns::TABLES);
    suite::conclude(&results, &tables, &fleet.options, &fleet.name)
}

/// The contenders whose programs are there; what is left out is said.
fn offered(fleet: &FleetSuite) -> Vec<Contender> {
    let there = |contender: &Contender| match contender.missing(&fleet.tools) {
        Some(variable) => {
            let name = contender.name();
            eprintln!("{name} is left out: {variable} does not say where its program is");
            false
        }
        None => true,
    };
    let wanted = Contender::value_variants().iter().copied();
    let wanted = wanted.filter(|one| fleet.only.is_empty() || fleet.only.contains(one));
    wanted.filter(there).collect()
}

/// One scenario against a new fleet.
async fn once(fleet: &FleetSuite, step: &Step, contender: Contender) -> Result<Report, LoadError> {
    let (core, logs) = (fleet.options.server_core, Path::new(runner::SCRATCH));
    let broker = Broker::start(contender.broker(), &fleet.tools, core, logs).await?;
    let mut servers = Vec::new();
    for number in 1..=SERVERS {
        let server = contender.start(number, &fleet.tools, &broker, core, logs);
        servers.push(server.await?);
    }
    let arguments = arguments(fleet, step, contender, &broker, &servers)?;
    let report = generator::generate(fleet.options.generator_core, &arguments).await;
    for server in servers {
        server.stop().await?;
    }
    broker.stop().await?;
    report
}

/// The generator's command line.
fn arguments(
    fleet: &FleetSuite,
    step: &Step,
    contender: Contender,
    broker: &Broker,
    servers: &[Server],
) -> Result<Vec<String>, LoadError> {
    let mut all = step.command(fleet.options.quick);
    for server in servers.iter().take(step.servers) {
        all.extend(option("--target", server.address.to_string()));
    }
    for server in servers {
        all.extend(option("--server-pid", server.pid()?.to_string()));
    }
    all.extend(option("--broker-pid", broker.pid()?.to_string()));
    let monitor: Option<SocketAddr> = broker.monitor;
    all.extend(
        monitor
            .into_iter()
            .flat_map(|at| option("--nats-monitor", at.to_string())),
    );
    all.extend(
        contender
            .generator_arguments()
            .iter()
            .map(ToString::to_string),
    );
    Ok(all)
}

/// An option and its value.
fn option(name: &str, value: String) -> [String; 2] {
    [name.to_owned(), value]
}
