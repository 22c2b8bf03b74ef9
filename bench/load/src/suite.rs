//! The suite behind `make bench`: every scenario against every server, in interleaved rounds, the
//! server on one core and the generator on another, each run with a server of its own.

pub(crate) mod compare;
pub(crate) mod generator;
pub(crate) mod launch;
mod machine;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod results;
pub(crate) mod runner;
pub(crate) mod server;
pub(crate) mod table;
mod tls;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::options::Options;
use self::results::Results;
use self::server::Contender;
use crate::error::LoadError;

/// Time for processes that were killed to be gone.
const REAP: Duration = Duration::from_millis(200);

/// Options of the suite.
#[derive(Args, Debug)]
pub(crate) struct Suite {
    /// Leaves out all other servers; may be given more than once.
    #[arg(long, value_enum, value_name = "SERVER")]
    only: Vec<Contender>,
    /// What the result file is called, behind the date.
    #[arg(long, default_value = "bench")]
    name: String,
    #[command(flatten)]
    options: Options,
}

/// Runs the suite in the current directory, the project's.
pub(crate) fn run(suite: &Suite) -> Result<(), LoadError> {
    let results = to_the_end(runner::run(suite))?;
    conclude(
        &results,
        &table::markdown(&results),
        &suite.options,
        &suite.name,
    )
}

/// Runs `rounds`. Whatever ends them, the processes they have started are ended with them.
pub(crate) fn to_the_end(
    rounds: impl Future<Output = Result<Results, LoadError>>,
) -> Result<Results, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let results = tokio::select! {
            results = rounds => results,
            interrupted = interrupted() => Err(interrupted),
        };
        if results.is_err() {
            // The processes are killed by now; the runtime takes note of their end while it runs.
            tokio::time::sleep(REAP).await;
        }
        results
    })
}

/// Leaves a result file and prints the tables; an error if any run failed.
pub(crate) fn conclude(
    results: &Results,
    tables: &str,
    options: &Options,
    name: &str,
) -> Result<(), LoadError> {
    let file = write(results, &options.results, name)?;
    println!("{tables}");
    eprintln!("results: {}", file.display());
    if results.failures.is_empty() {
        return Ok(());
    }
    Err(LoadError::Suite(format!(
        "{} runs failed; they are named above",
        results.failures.len()
    )))
}

/// Waits for ctrl-C or SIGTERM.
async fn interrupted() -> LoadError {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => _ = terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    LoadError::Suite("interrupted; the processes that were started are ended".to_owned())
}

fn write(results: &Results, directory: &Path, name: &str) -> Result<PathBuf, LoadError> {
    let path = directory.join(format!("{}-{name}.json", results.started));
    let json = serde_json::to_string_pretty(results).map_err(std::io::Error::from)?;
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&path, json))
        .map_err(|source| LoadError::Write {
            path: path.clone(),
            source,
        })?;
    Ok(path)
}
