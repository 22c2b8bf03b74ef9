//! What the servers under test use, read below `/proc`.

use std::fs;
use std::time::Instant;

use crate::error::LoadError;

/// Ticks a second of the times in `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux.
const TICKS: f64 = 100.0;

/// The processes under test; their figures are added up.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    servers: Vec<u32>,
    /// What carries messages between servers: part of what a delivery costs.
    brokers: Vec<u32>,
}

/// CPU used up to a moment, by the servers, by the brokers, by this process and by all there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    at: Instant,
    servers: f64,
    brokers: f64,
    own: f64,
    all: f64,
}

/// What was used between two moments, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) elapsed: f64,
    /// By the servers and what is between them.
    pub(crate) server: f64,
    /// The brokers' part of that; `None` when there are none.
    pub(crate) broker: Option<f64>,
    pub(crate) own: f64,
    /// Of processes that have no part in the run: how far its figures can be trusted.
    pub(crate) others: f64,
}

impl Processes {
    pub(crate) fn new(servers: &[u32], brokers: &[u32]) -> Self {
        Self {
            servers: servers.to_vec(),
            brokers: brokers.to_vec(),
        }
    }

    /// Resident memory of all servers in KiB.
    pub(crate) fn resident(&self) -> Result<f64, LoadError> {
        Ok(self.resident_each()?.iter().sum())
    }

    /// Resident memory of each server in KiB.
    pub(crate) fn resident_each(&self) -> Result<Vec<f64>, LoadError> {
        self.servers.iter().map(|pid| resident(*pid)).collect()
    }

    /// Resident memory of all brokers in KiB; `None` when there are none.
    pub(crate) fn broker_resident(&self) -> Result<Option<f64>, LoadError> {
        let all = self.brokers.iter().map(|pid| resident(*pid));
        let sum = all.sum::<Result<f64, _>>()?;
        Ok((!self.brokers.is_empty()).then_some(sum))
    }

    /// CPU time up to now.
    pub(crate) fn usage(&self) -> Result<Usage, LoadError> {
        let sum = |pids: &[u32]| pids.iter().map(|pid| cpu(*pid)).sum::<Result<f64, _>>();
        Ok(Usage {
            at: Instant::now(),
            servers: sum(&self.servers)?,
            brokers: sum(&self.brokers)?,
            own: cpu(std::process::id())?,
            all: parse_all(&std::fs::read_to_string("/proc/stat")?).unwrap_or(0.0),
        })
    }

    /// What was used since `before`.
    pub(crate) fn since(&self, before: &Usage) -> Result<Used, LoadError> {
        let now = self.usage()?;
        let broker = now.brokers - before.brokers;
        let server = now.servers - before.servers + broker;
        let own = now.own - before.own;
        Ok(Used {
            elapsed: now.at.duration_since(before.at).as_secs_f64(),
            server,
            broker: (!self.brokers.is_empty()).then_some(broker),
            own,
            others: (now.all - before.all - server - own).max(0.0),
        })
    }
}

fn read(pid: u32, file: &str) -> Result<String, LoadError> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|error| LoadError::Process {
        pid,
        reason: error.to_string(),
    })
}

/// `smaps_rollup` counts pages; `status` lags behind by up to 64 pages a thread.
fn resident(pid: u32) -> Result<f64, LoadError> {
    let unknown = || LoadError::Process {
        pid,
        reason: "it has no Rss in smaps_rollup".to_owned(),
    };
    parse_rss(&read(pid, "smaps_rollup")?).ok_or_else(unknown)
}

fn parse_rss(rollup: &str) -> Option<f64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn cpu(pid: u32) -> Result<f64, LoadError> {
    let unknown = || LoadError::Process {
        pid,
        reason: "its stat has another shape".to_owned(),
    };
    parse_cpu(&read(pid, "stat")?).ok_or_else(unknown)
}

/// User and system time in seconds. The command's name, in brackets, may hold anything.
fn parse_cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// User, nice and system time of all processors in seconds; the time of interrupts is not in it,
/// since it is what the run itself causes.
fn parse_all(stat: &str) -> Option<f64> {
    let times = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .take(3);
    let ticks = times.map(str::parse::<f64>).sum::<Result<f64, _>>().ok()?;
    Some(ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_all_processors_is_without_idleness_and_interrupts() {
        assert_eq!(
            parse_all("cpu  100 50 150 9000 5 7 8 0 0 0\ncpu0 1 1 1 1\n"),
            Some(3.0)
        );
    }

    #[test]
    fn cpu_time_is_found_behind_a_name_with_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 90 0 0 0 120 30 0 0 20 0 1 0 5 1 1 1";
        assert_eq!(parse_cpu(stat), Some(1.5));
        assert_eq!(parse_cpu("nothing"), None);
    }

    #[test]
    fn resident_memory_is_read_in_kib() {
        assert_eq!(
            parse_rss("7f-80 ---p\nRss:    5120 kB\nPss: 1 kB\n"),
            Some(5120.0)
        );
        assert_eq!(parse_rss("Pss: 1 kB\n"), None);
    }

    #[test]
    fn this_process_has_memory_and_a_gone_one_is_an_error() {
        assert!(
            Processes::new(&[std::process::id()], &[])
                .resident()
                .unwrap()
                > 100.0
        );
        assert!(Processes::new(&[u32::MAX], &[]).usage().is_err());
    }
}
