//! The command line: a subcommand a scenario, the suite, and the comparison of two of its results.

use clap::{Args, Parser, Subcommand};

use crate::error::LoadError;
use crate::fleet;
use crate::floor;
use crate::interest;
use crate::report::Report;
use crate::scenario::bench::Common;
use crate::scenario::{churn, close_all, fan_out, hold, idle, open_loop, request, slow_consumers};
use crate::storm;
use crate::suite::{self, compare};

/// Loads servers on this machine and measures it.
#[derive(Parser, Debug)]
#[command(version, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Connections that do nothing: memory, accepts a second, CPU while idle.
    Idle(Run<idle::Idle>),
    /// One large room, W publications under way.
    FanOut(Run<fan_out::FanOut>),
    /// Small rooms at a fixed rate; latency from the intended send time.
    OpenLoop(Run<open_loop::OpenLoop>),
    /// One request outstanding a connection.
    Request(Run<request::Request>),
    /// Many connections end at once while others go on.
    CloseAll(Run<close_all::CloseAll>),
    /// Rounds of connections that come and go; memory after each.
    Churn(Run<churn::Churn>),
    /// Members that do not read, and what the others notice.
    SlowConsumers(Run<slow_consumers::SlowConsumers>),
    /// More connections than one process may open, each with a trickle of messages.
    Hold(Run<hold::Hold>),
    /// Prints what each client of a nats-server gets and sends.
    Interest(interest::Interest),
    /// Serves the scenarios with the least work there can be, to read other figures against.
    Floor(floor::Floor),
    /// Runs all scenarios against the gateway and its rivals, in interleaved rounds.
    Suite(suite::Suite),
    /// Runs the scenarios of a fleet: three gateways and a broker beside others of the kind.
    Fleet(fleet::FleetSuite),
    /// Moves all connections of one gateway of a fleet to the others, by a drain and by its death.
    Storm(storm::Storm),
    /// Compares two result files of the suite.
    Compare(compare::Compare),
}

#[derive(Args, Debug)]
struct Run<S: Args> {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    settings: S,
}

impl<S: Args> Run<S> {
    fn with(
        &self,
        scenario: impl FnOnce(&Common, &S) -> Result<Report, LoadError>,
    ) -> Result<(), LoadError> {
        scenario(&self.common, &self.settings)?.publish(self.common.json.as_deref())
    }
}

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Result<(), LoadError> {
    match cli.command {
        Command::Idle(run) => run.with(idle::run),
        Command::FanOut(run) => run.with(fan_out::run),
        Command::OpenLoop(run) => run.with(open_loop::run),
        Command::Request(run) => run.with(request::run),
        Command::CloseAll(run) => run.with(close_all::run),
        Command::Churn(run) => run.with(churn::run),
        Command::SlowConsumers(run) => run.with(slow_consumers::run),
        Command::Hold(run) => match hold::run(&run.common, &run.settings)? {
            Some(report) => report.publish(run.common.json.as_deref()),
            None => Ok(()),
        },
        Command::Interest(options) => interest::run(&options),
        Command::Floor(options) => floor::run(&options),
        Command::Suite(suite) => suite::run(&suite),
        Command::Fleet(fleet) => fleet::run(&fleet),
        Command::Storm(storm) => storm::run(&storm),
        Command::Compare(compare) => compare::run(&compare),
    }
}
