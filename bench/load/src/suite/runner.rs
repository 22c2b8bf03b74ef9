//! Runs the rounds: a server, a generator against it, their end, and on to the next.

use std::path::Path;

use clap::ValueEnum;

use super::Suite;
use super::generator;
use super::machine::Machine;
use super::options::Options;
use super::plan::{self, Step};
use super::results::Results;
use super::server::{self, Contender};
use super::tls::Certificate;
use crate::error::LoadError;
use crate::report::Report;

/// Where logs and certificates of a run go; nothing in it is kept.
pub(crate) const SCRATCH: &str = "target/bench";

/// Runs what `suite` asks for.
pub(crate) async fn run(suite: &Suite) -> Result<Results, LoadError> {
    let scratch = Path::new(SCRATCH);
    std::fs::create_dir_all(scratch)?;
    let tls = Certificate::write(scratch, Path::new(server::CONFIG))?;
    let steps = plan::select(&plan::STEPS, &suite.options.scenario);
    let contenders = chosen(&suite.only);
    let once = async |step: &Step, contender| once(&suite.options, step, contender, &tls).await;
    rounds(&suite.options, &steps, &contenders, Contender::name, once).await
}

/// Those that were asked for, or all.
pub(crate) fn chosen<C: ValueEnum + PartialEq>(only: &[C]) -> Vec<C> {
    let wanted = |contender: &&C| only.is_empty() || only.contains(contender);
    C::value_variants().iter().filter(wanted).cloned().collect()
}

/// Each step with each contender, `once`, before the next round begins. A run that fails is noted
/// and does not end the others; one that gives nothing is not offered by that contender.
pub(crate) async fn rounds<C: Copy>(
    options: &Options,
    steps: &[Step],
    contenders: &[C],
    name: fn(C) -> &'static str,
    once: impl AsyncFn(&Step, C) -> Result<Option<Report>, LoadError>,
) -> Result<Results, LoadError> {
    let rounds = if options.quick { 1 } else { options.rounds };
    let mut results = Results::new(Machine::this(), options.quick);
    for round in 1..=rounds {
        for step in steps {
            for contender in contenders {
                let server = name(*contender);
                eprint!("round {round}/{rounds} {server} {}: ", step.name);
                match once(step, *contender).await {
                    Ok(Some(report)) => results.add(step.name, server, &report),
                    Ok(None) => eprintln!("not offered by this server"),
                    Err(error) => {
                        eprintln!("{error}");
                        results.fail(step.name, server, round, &error);
                    }
                }
            }
        }
    }
    results.conclude();
    Ok(results)
}

/// One scenario against one new server; `None` when the server does not offer what it needs.
async fn once(
    options: &Options,
    step: &Step,
    contender: Contender,
    tls: &Certificate,
) -> Result<Option<Report>, LoadError> {
    let certificate = step.tls.then_some(tls);
    let started = contender.start(options.server_core, certificate, Path::new(SCRATCH));
    let Some(server) = started.await? else {
        return Ok(None);
    };
    let mut arguments = step.command(options.quick);
    arguments.extend(["--target".to_owned(), server.address.to_string()]);
    arguments.extend(["--server-pid".to_owned(), server.pid()?.to_string()]);
    arguments.extend(
        contender
            .generator_arguments()
            .iter()
            .map(ToString::to_string),
    );
    if let Some(tls) = certificate {
        let chain = tls.chain.to_string_lossy().into_owned();
        arguments.extend(["--tls-ca".to_owned(), chain]);
    }
    let report = generator::generate(options.generator_core, &arguments).await;
    server.stop().await?;
    report.map(Some)
}
