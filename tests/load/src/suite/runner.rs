//! Runs the rounds: a server, a generator against it, their end, and on to the next.

use std::path::Path;
use std::process::Stdio;

use clap::ValueEnum;
use tokio::process::Command;

use super::Suite;
use super::machine::Machine;
use super::plan::{self, Step};
use super::results::Results;
use super::server::{self, Contender, Server};
use super::tls::Certificate;
use crate::error::LoadError;
use crate::report::Report;

/// Where logs and certificates of a run go; nothing in it is kept.
const SCRATCH: &str = "target/bench";

/// Runs what `suite` asks for. A run that fails is noted and does not end the others.
pub(crate) async fn run(suite: &Suite) -> Result<Results, LoadError> {
    let scratch = Path::new(SCRATCH);
    std::fs::create_dir_all(scratch)?;
    let tls = Certificate::write(scratch, Path::new(server::CONFIG))?;
    let rounds = if suite.quick { 1 } else { suite.rounds };
    let mut results = Results::new(Machine::this(), suite.quick);
    for round in 1..=rounds {
        for step in plan::select(&suite.scenario) {
            for contender in contenders(&suite.only) {
                eprint!(
                    "round {round}/{rounds} {} {}: ",
                    contender.name(),
                    step.name
                );
                match once(suite, &step, contender, &tls).await {
                    Ok(Some(report)) => results.add(step.name, contender.name(), &report),
                    Ok(None) => eprintln!("not offered by this server"),
                    Err(error) => {
                        eprintln!("{error}");
                        results.fail(step.name, contender.name(), round, &error);
                    }
                }
            }
        }
    }
    results.conclude();
    Ok(results)
}

fn contenders(only: &[Contender]) -> Vec<Contender> {
    let wanted = |contender: &Contender| only.is_empty() || only.contains(contender);
    Contender::value_variants()
        .iter()
        .copied()
        .filter(wanted)
        .collect()
}

/// One scenario against one new server; `None` when the server does not offer what it needs.
async fn once(
    suite: &Suite,
    step: &Step,
    contender: Contender,
    tls: &Certificate,
) -> Result<Option<Report>, LoadError> {
    let certificate = step.tls.then_some(tls);
    let scratch = Path::new(SCRATCH);
    let started = Server::start(contender, suite.server_core, certificate, scratch).await?;
    let Some(server) = started else {
        return Ok(None);
    };
    let report = generate(suite, step, contender, &server, certificate).await;
    server.stop().await?;
    report.map(Some)
}

/// Runs the generator, this same program, and reads its report.
async fn generate(
    suite: &Suite,
    step: &Step,
    contender: Contender,
    server: &Server,
    tls: Option<&Certificate>,
) -> Result<Report, LoadError> {
    let gone = || LoadError::Suite(format!("{} has ended by itself", contender.name()));
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &suite.generator_core.to_string()])
        .arg(std::env::current_exe()?)
        .args(step.command(suite.quick))
        .args(["--target", &server.address.to_string()])
        .args(["--server-pid", &server.pid().ok_or_else(gone)?.to_string()])
        .args(contender.generator_arguments());
    if let Some(tls) = tls {
        command.arg("--tls-ca").arg(&tls.chain);
    }
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = said
            .lines()
            .next_back()
            .unwrap_or("the generator said nothing");
        return Err(LoadError::Suite(last.to_owned()));
    }
    let line = said.lines().next_back().unwrap_or_default();
    eprintln!(
        "{}",
        line.split_once(": ").map_or(line, |(_, figures)| figures)
    );
    serde_json::from_slice(&output.stdout).map_err(|source| LoadError::Format {
        path: "the generator's report".into(),
        source,
    })
}
