//! Runs the generator, this same program, on its core.

use std::process::Stdio;

use tokio::process::Command;

use crate::error::LoadError;
use crate::report::Report;

/// Runs it with `arguments` and reads its report.
pub(crate) async fn generate(core: u32, arguments: &[String]) -> Result<Report, LoadError> {
    let output = Command::new("taskset")
        .args(["--cpu-list", &core.to_string()])
        .arg(std::env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(LoadError::Suite(reason(&said).to_owned()));
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

/// The first sentence that is an error: a later one may only say that something has ended.
fn reason(said: &str) -> &str {
    let mut errors = said
        .lines()
        .filter_map(|line| line.strip_prefix("sluice-load: "));
    let last = || said.lines().next_back();
    errors
        .next()
        .or_else(last)
        .unwrap_or("the generator said nothing")
}
