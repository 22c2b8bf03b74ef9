//! What both suites are told alike.

use std::path::PathBuf;

use clap::Args;

/// Which rounds are run, where, and where their results go.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Leaves out all scenarios whose name does not begin so; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Rounds; the table has their medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) rounds: u32,
    /// One short round with fewer connections: shows that all works, and measures little.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where result files go.
    #[arg(long, default_value = "bench/results")]
    pub(crate) results: PathBuf,
    /// The core that the servers run on.
    #[arg(long, default_value_t = 0)]
    pub(crate) server_core: u32,
    /// The core that the generator runs on.
    #[arg(long, default_value_t = 1)]
    pub(crate) generator_core: u32,
}
