//! The suite behind `make bench`: every scenario against every server, in interleaved rounds, the
//! server on one core and the generator on another, each run with a server of its own.

pub(crate) mod compare;
mod machine;
mod plan;
mod results;
mod runner;
mod server;
mod table;
mod tls;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

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
    /// Leaves out all scenarios whose name does not begin so; may be given more than once.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Rounds; the table has their medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// One short round with fewer connections: shows that all works, and measures little.
    #[arg(long)]
    quick: bool,
    /// What the result file is called, behind the date.
    #[arg(long, default_value = "bench")]
    name: String,
    /// Where result files go.
    #[arg(long, default_value = "bench-results")]
    results: PathBuf,
    /// The core that the server runs on.
    #[arg(long, default_value_t = 0)]
    server_core: u32,
    /// The core that the generator runs on.
    #[arg(long, default_value_t = 1)]
    generator_core: u32,
}

/// Runs the suite in the current directory, the project's. Whatever ends it, the processes it has
/// started are ended with it.
pub(crate) fn run(suite: &Suite) -> Result<(), LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let results = runtime.block_on(async {
        let results = tokio::select! {
            results = runner::run(suite) => results,
            interrupted = interrupted() => Err(interrupted),
        };
        if results.is_err() {
            // The processes are killed by now; the runtime takes note of their end while it runs.
            tokio::time::sleep(REAP).await;
        }
        results
    })?;
    let file = write(&results, &suite.results, &suite.name)?;
    println!("{}", table::markdown(&results));
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
