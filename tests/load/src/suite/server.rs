//! The servers under test: how each is started, with what the generator has to show it, and how
//! it is ended.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clap::ValueEnum;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::tls::Certificate;
use crate::error::LoadError;

/// How long a server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A server that the suite knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The gateway, with auth on.
    Sluice,
    /// npm socket.io.
    #[value(name = "socket.io")]
    SocketIo,
    /// The crate socketioxide.
    Socketioxide,
    /// This program's own `floor`: no product, but what the machine and the generator can do.
    Floor,
}

impl Contender {
    /// Its name in tables and result files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sluice => "sluice",
            Self::SocketIo => "socket.io",
            Self::Socketioxide => "socketioxide",
            Self::Floor => "floor",
        }
    }

    /// The program and its arguments; `None` when it cannot do what is asked for.
    fn command(self, port: u16, tls: Option<&Certificate>) -> Option<Vec<String>> {
        let port = port.to_string();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        match (self, tls) {
            (Self::Sluice, None) => Some(owned(&[SLUICE, "--config", CONFIG])),
            (Self::Sluice, Some(tls)) => Some(owned(&[SLUICE, "--config", &path(&tls.config)])),
            (Self::SocketIo, None) => Some(owned(&["node", SOCKET_IO, &port])),
            (Self::SocketIo, Some(tls)) => {
                let files = [path(&tls.chain), path(&tls.key)];
                Some(owned(&["node", SOCKET_IO, &port, &files[0], &files[1]]))
            }
            (Self::Socketioxide, None) => Some(owned(&[SOCKETIOXIDE, &port])),
            (Self::Floor, None) => Some(owned(&[
                LOAD,
                "floor",
                "--listen",
                &format!("127.0.0.1:{port}"),
            ])),
            (Self::Socketioxide | Self::Floor, Some(_)) => None,
        }
    }

    /// What the generator shows this server.
    pub(crate) fn generator_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Sluice => &["--hs256-key", KEY],
            Self::SocketIo | Self::Socketioxide | Self::Floor => &[],
        }
    }
}

/// For the gateway's other ports, which the benchmarks do not use.
const ANY_PORT: &str = "127.0.0.1:0";
/// The gateway's configuration.
pub(crate) const CONFIG: &str = "tests/bench/sluice.yaml";
/// The key that its tokens are signed with.
const KEY: &str = "tests/bench/hs256.key";
const SLUICE: &str = "target/release/sluice-gateway";
const LOAD: &str = "target/release/sluice-load";
const SOCKET_IO: &str = "tests/bench/rivals/socket.io/server.js";
const SOCKETIOXIDE: &str = "target/rivals/release/socketioxide-bench";

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A server that runs. Dropped, it is killed, by its own process id.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `contender` on `core` and waits until it listens; `None` when it has no TLS and
    /// that was asked for. What it writes goes to a file below `logs`.
    pub(crate) async fn start(
        contender: Contender,
        core: u32,
        tls: Option<&Certificate>,
        logs: &Path,
    ) -> Result<Option<Self>, LoadError> {
        let address = free_address()?;
        let Some(command) = contender.command(address.port(), tls) else {
            return Ok(None);
        };
        let log = logs.join(format!("{}.log", contender.name()));
        let output = File::create(&log).map_err(|source| LoadError::Write {
            path: log.clone(),
            source,
        })?;
        let child = Command::new("taskset")
            .args(["--cpu-list", &core.to_string()])
            .args(command)
            .env("SLUICE_LISTEN", address.to_string())
            .env("SLUICE_API_LISTEN", ANY_PORT)
            .env("SLUICE_OPS_LISTEN", ANY_PORT)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let mut server = Self { child, address };
        server.listening(contender, &log).await?;
        Ok(Some(server))
    }

    async fn listening(&mut self, contender: Contender, log: &Path) -> Result<(), LoadError> {
        let end = Instant::now() + START_LIMIT;
        let failed = |what: String| {
            Err(LoadError::Suite(format!(
                "{} {what}; see {}",
                contender.name(),
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
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it and waits until it is gone.
    pub(crate) async fn stop(mut self) -> Result<(), LoadError> {
        Ok(self.child.kill().await?)
    }
}

fn free_address() -> Result<SocketAddr, LoadError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
