//! What every scenario starts from: options, connections, and the server's processes.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::clock::Clock;
use crate::error::LoadError;
use crate::monitor::Monitor;
use crate::net::dial::Dial;
use crate::net::pool::Pool;
use crate::net::setup::Wish;
use crate::process::Processes;
use crate::report::{Metrics, Report};
use crate::token::Tokens;
use crate::wire::dialect::Dialect;

/// Files that a run has open besides its connections.
const OTHER_FILES: usize = 50;
/// Connections of one process, whatever its limit of open files.
const MOST_CONNECTIONS: usize = 20_000 - OTHER_FILES;

/// Options of every scenario.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The server's address; loopback only. Given more than once, connections go to each of the
    /// servers in turn.
    #[arg(long, required = true)]
    target: Vec<SocketAddr>,
    /// A process of the server, to measure; may be given more than once.
    #[arg(long, value_name = "PID")]
    server_pid: Vec<u32>,
    /// A process of the broker between several servers, to measure; may be given more than once.
    #[arg(long, value_name = "PID")]
    broker_pid: Vec<u32>,
    /// The monitoring port of the nats-server between the servers, to read what it counts.
    #[arg(long, value_name = "ADDRESS")]
    nats_monitor: Option<SocketAddr>,
    /// What the server speaks.
    #[arg(long, value_enum, default_value_t)]
    dialect: Dialect,
    /// A file of tokens, one a line, used in turn.
    #[arg(long, value_name = "FILE", conflicts_with = "hs256_key")]
    token: Option<PathBuf>,
    /// A file with the key to sign a token for each connection with, HS256.
    #[arg(long, value_name = "FILE")]
    hs256_key: Option<PathBuf>,
    /// Speak TLS, and trust the certificates of this PEM file.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Connections that are being set up at the same time.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    at_once: u16,
    /// Seconds of the same load before anything is counted.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(..=600))]
    warm_up: u64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Bytes of a publication's data, as JSON; at least 26.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(26..=131_072))]
    payload_bytes: u32,
    /// Where the JSON result goes; stdout without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Common {
    /// The processes to measure.
    pub(crate) fn processes(&self) -> Processes {
        Processes::new(&self.server_pid, &self.broker_pid)
    }

    /// The nats-server to ask.
    pub(crate) fn monitor(&self) -> Option<Monitor> {
        self.nats_monitor.map(Monitor)
    }
}

/// A run: its connections and what it measures.
pub(crate) struct Bench {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) processes: Processes,
    tokens: Tokens,
    /// The number of the first user, which its token names.
    first_user: usize,
    at_once: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    pub(crate) payload_bytes: usize,
}

impl Bench {
    /// Checks the options against this machine; `connections` is the most that are open at once.
    pub(crate) fn new(common: &Common, connections: usize) -> Result<Self, LoadError> {
        check_limit(connections)?;
        let clock = Clock::start();
        let tokens = match (&common.token, &common.hs256_key) {
            (Some(file), _) => Tokens::from_file(file)?,
            (None, Some(key)) => Tokens::signing(key)?,
            (None, None) => Tokens::None,
        };
        let dial = Dial::new(&common.target, common.tls_ca.as_deref())?;
        Ok(Self {
            pool: Pool::new(dial, common.dialect, clock)?,
            clock,
            processes: common.processes(),
            tokens,
            first_user: 0,
            at_once: usize::from(common.at_once),
            warm_up: Duration::from_secs(common.warm_up),
            measured: Duration::from_secs(common.seconds),
            payload_bytes: common.payload_bytes as usize,
        })
    }

    /// Counts users from `number`, so that no two processes have the same.
    pub(crate) fn users_from(&mut self, number: usize) {
        self.first_user = number;
    }

    /// Sets up `count` connections, each in the room that `room` names for it (0 to `count`).
    /// Their numbers, and how long it took; tokens are signed before that time begins.
    pub(crate) fn join(
        &mut self,
        count: usize,
        room: impl Fn(usize) -> String,
    ) -> Result<(Range<usize>, Duration), LoadError> {
        self.join_all(count, |index| vec![room(index)])
    }

    /// Sets up `count` connections that are in no room.
    pub(crate) fn connect(&mut self, count: usize) -> Result<Range<usize>, LoadError> {
        Ok(self.join_all(count, |_| Vec::new())?.0)
    }

    /// The same with any number of rooms a connection.
    pub(crate) fn join_all(
        &mut self,
        count: usize,
        rooms: impl Fn(usize) -> Vec<String>,
    ) -> Result<(Range<usize>, Duration), LoadError> {
        let first = self.pool.next();
        let wish = |index| {
            let token = self.tokens.get(self.first_user + first + index)?;
            Ok(Wish {
                token,
                rooms: rooms(index),
            })
        };
        let wishes = (0..count)
            .map(wish)
            .collect::<Result<Vec<_>, LoadError>>()?;
        let took = self.pool.grow(wishes, self.at_once)?;
        Ok((first..first + count, took))
    }
}

/// Puts a scenario's settings and figures together.
pub(crate) fn report(
    scenario: &str,
    settings: &impl Serialize,
    metrics: Metrics,
) -> Result<Report, LoadError> {
    let settings = serde_json::to_value(settings).map_err(std::io::Error::from)?;
    Ok(Report {
        scenario: scenario.to_owned(),
        settings,
        metrics,
    })
}

pub(crate) fn check_limit(wanted: usize) -> Result<(), LoadError> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let limit = open_files(&limits)
        .unwrap_or(usize::MAX)
        .saturating_sub(OTHER_FILES);
    let limit = limit.min(MOST_CONNECTIONS);
    if wanted > limit {
        return Err(LoadError::TooManyConnections { wanted, limit });
    }
    Ok(())
}

/// The soft limit of open files; `None` when there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_found() {
        let limits = "Max processes   1   2  processes\nMax open files   1024   4096   files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(
            open_files("Max open files   unlimited  unlimited files"),
            None
        );
    }

    #[test]
    fn more_connections_than_a_process_may_hold_are_refused() {
        assert!(matches!(
            check_limit(20_000),
            Err(LoadError::TooManyConnections { .. })
        ));
    }
}
