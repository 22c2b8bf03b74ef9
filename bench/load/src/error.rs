//! Everything that ends a run early, as a sentence that says what to do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::wire::frame::FrameError;

/// Why a run gave up.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("{0} is not a loopback address; the generator loads servers on this machine only")]
    NotLoopback(SocketAddr),
    #[error(
        "{wanted} connections are more than this process may open, {limit}; ask for fewer, or raise `ulimit -n` if it is below 20000"
    )]
    TooManyConnections { wanted: usize, limit: usize },
    #[error("cannot open connection {connection}: {source}")]
    Open {
        connection: usize,
        source: std::io::Error,
    },
    #[error("connection {connection} was not set up: {reason}")]
    SetUp {
        connection: usize,
        reason: LossReason,
    },
    #[error("only {ready} of {wanted} connections were set up within {limit:?}")]
    SetUpTooSlow {
        ready: usize,
        wanted: usize,
        limit: Duration,
    },
    #[error("the server ended {count} connections during the run; the first because: {first}")]
    Lost { count: usize, first: LossReason },
    #[error("the server refused {count} requests; the first with: {first}")]
    Refused { count: u64, first: String },
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write {}: {source}", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("process {pid} cannot be read below /proc: {reason}")]
    Process { pid: u32, reason: String },
    #[error("{} has no token in it; write one a line", .0.display())]
    NoTokens(PathBuf),
    #[error("cannot sign a token: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("{0}")]
    Suite(String),
    #[error("{} is no result file of this tool: {source}", path.display())]
    Format {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Why one connection ended.
#[derive(Debug, Error)]
pub(crate) enum LossReason {
    #[error("the server closed it")]
    Closed,
    #[error("the server closed it with code {code} {text:?}")]
    CloseFrame { code: u16, text: String },
    #[error("the upgrade was answered with {0:?}")]
    Upgrade(String),
    #[error("the server refused it: {0}")]
    Refused(String),
    #[error("the server answered the join with {0}")]
    Join(String),
    #[error("a frame is larger than the generator's read buffer")]
    FrameTooLarge,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
