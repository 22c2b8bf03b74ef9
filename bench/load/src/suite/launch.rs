//! A process of the server under test, on its core, from its start to its end.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::error::LoadError;

/// How long a server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How a process is started.
pub(crate) struct Launch<'a> {
    /// What it is called in messages, and its log file.
    pub(crate) name: &'a str,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Where it will listen.
    pub(crate) address: SocketAddr,
    pub(crate) core: u32,
    /// Where its log file goes.
    pub(crate) logs: &'a Path,
}

/// A server that runs. Dropped, it is killed, by its own process id.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a process and waits until it listens.
    pub(crate) async fn start(launch: Launch<'_>) -> Result<Self, LoadError> {
        let log = launch.logs.join(format!("{}.log", launch.name));
        let output = File::create(&log).map_err(|source| LoadError::Write {
            path: log.clone(),
            source,
        })?;
        let child = Command::new("taskset")
            .args(["--cpu-list", &launch.core.to_string()])
            .args(launch.command)
            .envs(launch.environment)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let address = launch.address;
        let mut server = Self { child, address };
        server.listening(launch.name, &log).await?;
        Ok(server)
    }

    async fn listening(&mut self, name: &str, log: &Path) -> Result<(), LoadError> {
        let end = Instant::now() + START_LIMIT;
        let failed = |what: String| {
            Err(LoadError::Suite(format!(
                "{name} {what}; see {}",
                log.display()
            )))
        };
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                return failed(format!("ended before it listened, with {status}"));
            }
            if Instant::now() > end {
                return failed(format!("does not listen after {START_LIMIT:?}"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Its process id. `taskset` becomes the server, so that it is the server's own.
    pub(crate) fn pid(&self) -> Result<u32, LoadError> {
        let gone = || LoadError::Suite(format!("the server at {} has ended", self.address));
        self.child.id().ok_or_else(gone)
    }

    /// Ends it and waits until it is gone.
    pub(crate) async fn stop(mut self) -> Result<(), LoadError> {
        Ok(self.child.kill().await?)
    }
}

/// An address that nothing listens on.
pub(crate) fn free_address() -> Result<SocketAddr, LoadError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
