//! The servers under test: how each is started, and what the generator has to show it.

use std::net::SocketAddr;
use std::path::Path;

use clap::ValueEnum;

use super::launch::{Launch, Server, free_address};
use super::tls::Certificate;
use crate::error::LoadError;

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

    /// Starts it on `core` and waits until it listens; `None` when it has no TLS and that was asked
    /// for. What it writes goes to a file below `logs`.
    pub(crate) async fn start(
        self,
        core: u32,
        tls: Option<&Certificate>,
        logs: &Path,
    ) -> Result<Option<Server>, LoadError> {
        let address = free_address()?;
        let Some(command) = self.command(address.port(), tls) else {
            return Ok(None);
        };
        let launch = Launch {
            name: self.name(),
            command,
            environment: gateway_environment(address),
            address,
            core,
            logs,
        };
        Server::start(launch).await.map(Some)
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
pub(crate) const CONFIG: &str = "bench/sluice.yaml";
/// The key that its tokens are signed with.
pub(crate) const KEY: &str = "bench/hs256.key";
pub(crate) const SLUICE: &str = "target/release/sluice-gateway";
const LOAD: &str = "target/release/sluice-load";
pub(crate) const SOCKET_IO: &str = "bench/rivals/socket.io/server.js";
const SOCKETIOXIDE: &str = "target/rivals/release/socketioxide-bench";

/// Where a gateway listens. Other servers take no notice of it.
pub(crate) fn gateway_environment(address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("SLUICE_LISTEN", address.to_string()),
        ("SLUICE_API_LISTEN", ANY_PORT.to_owned()),
        ("SLUICE_OPS_LISTEN", ANY_PORT.to_owned()),
    ]
}

pub(crate) fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
