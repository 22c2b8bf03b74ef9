//! The fleets that are compared, and how one server of each is started.

use std::net::SocketAddr;
use std::path::Path;

use clap::ValueEnum;
use tokio::time::{Duration, Instant, sleep};

use super::broker::{Broker, Kind};
use super::{Tools, config};
use crate::error::LoadError;
use crate::http;
use crate::suite::launch::{Launch, Server, free_address};
use crate::suite::server::{self as single, owned};

/// How long a gateway may take until it is ready.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// Centrifugo's configuration; where it listens and its broker is come from the environment.
const CENTRIFUGO: &str = "bench/rivals/centrifugo.json";

/// A fleet that the suite knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Contender {
    /// The gateway with NATS, rooms without history.
    Sluice,
    /// The gateway with NATS, every message kept by JetStream before it is delivered.
    SluiceHistory,
    /// npm socket.io with its Redis adapter.
    #[value(name = "socket.io-redis")]
    SocketIo,
    /// The same with its sharded adapter.
    #[value(name = "socket.io-sharded")]
    SocketIoSharded,
    /// Centrifugo with its NATS broker, which has no history.
    #[value(name = "centrifugo-nats")]
    Centrifugo,
}

impl Contender {
    /// Its name in tables and result files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sluice => "sluice",
            Self::SluiceHistory => "sluice-history",
            Self::SocketIo => "socket.io-redis",
            Self::SocketIoSharded => "socket.io-sharded",
            Self::Centrifugo => "centrifugo-nats",
        }
    }

    /// What connects its servers.
    pub(super) fn broker(self) -> Kind {
        match self {
            Self::Sluice | Self::SluiceHistory | Self::Centrifugo => Kind::Nats,
            Self::SocketIo | Self::SocketIoSharded => Kind::Redis,
        }
    }

    /// The environment variable that should name a program of this fleet and does not.
    pub(super) fn missing(self, tools: &Tools) -> Option<&'static str> {
        match self.broker() {
            Kind::Nats if tools.nats_server.is_none() => Some("NATS_SERVER"),
            Kind::Redis if tools.redis_server.is_none() => Some("REDIS_SERVER"),
            _ if self == Self::Centrifugo && tools.centrifugo.is_none() => Some("CENTRIFUGO"),
            _ => None,
        }
    }

    /// What the generator shows its servers.
    pub(super) fn generator_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Sluice | Self::SluiceHistory => &["--hs256-key", single::KEY],
            Self::SocketIo | Self::SocketIoSharded => &[],
            Self::Centrifugo => &["--hs256-key", single::KEY, "--dialect", "centrifugo"],
        }
    }

    /// Starts server `number` of the fleet around `broker` and waits until it is ready.
    pub(super) async fn start(
        self,
        number: usize,
        tools: &Tools,
        broker: &Broker,
        core: u32,
        logs: &Path,
    ) -> Result<Server, LoadError> {
        let name = format!("{}-{number}", self.name());
        let (address, operations) = (free_address()?, free_address()?);
        let launch = Launch {
            name: &name,
            command: self.command(address, tools, broker, logs)?,
            environment: self.environment(address, operations, broker),
            address,
            core,
            logs,
        };
        let server = Server::start(launch).await?;
        if matches!(self, Self::Sluice | Self::SluiceHistory) {
            ready(&name, operations).await?;
        }
        Ok(server)
    }

    fn command(
        self,
        address: SocketAddr,
        tools: &Tools,
        broker: &Broker,
        logs: &Path,
    ) -> Result<Vec<String>, LoadError> {
        let port = address.port().to_string();
        Ok(match self {
            Self::Sluice | Self::SluiceHistory => {
                let file = logs.join(format!("{}.yaml", self.name()));
                config::write(&file, &broker.url(), self == Self::SluiceHistory)?;
                owned(&[single::SLUICE, "--config", &file.to_string_lossy()])
            }
            Self::SocketIo | Self::SocketIoSharded => owned(&["node", single::SOCKET_IO, &port]),
            Self::Centrifugo => {
                let program = tools.centrifugo.clone().unwrap_or_default();
                owned(&[&program.to_string_lossy(), "-c", CENTRIFUGO])
            }
        })
    }

    fn environment(
        self,
        address: SocketAddr,
        operations: SocketAddr,
        broker: &Broker,
    ) -> Vec<(&'static str, String)> {
        let redis = ("REDIS_URL", broker.url());
        match self {
            Self::Sluice | Self::SluiceHistory => {
                let mut all = single::gateway_environment(address);
                all.push(("SLUICE_OPS_LISTEN", operations.to_string()));
                all
            }
            Self::SocketIo => vec![redis],
            Self::SocketIoSharded => vec![redis, ("REDIS_ADAPTER", "sharded".to_owned())],
            Self::Centrifugo => vec![
                ("CENTRIFUGO_HTTP_SERVER_PORT", address.port().to_string()),
                ("CENTRIFUGO_BROKER_NATS_URL", broker.url()),
            ],
        }
    }
}

/// Waits until the gateway whose port for operators is `address` says that it is ready.
async fn ready(name: &str, address: SocketAddr) -> Result<(), LoadError> {
    let end = Instant::now() + READY_LIMIT;
    while let Err(error) = http::get(address, "/readyz") {
        if Instant::now() > end {
            let reason = format!("{name} is not ready after {READY_LIMIT:?}: {error}");
            return Err(LoadError::Suite(reason));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
