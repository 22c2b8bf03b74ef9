//! What connects the servers of a fleet: a nats-server with JetStream, or a redis-server that
//! keeps nothing on disk.

use std::net::SocketAddr;
use std::path::Path;

use super::Tools;
use crate::error::LoadError;
use crate::suite::launch::{Launch, Server, free_address};
use crate::suite::server::owned;

/// A program that connects servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nats,
    Redis,
}

/// One that runs.
pub(crate) struct Broker {
    kind: Kind,
    server: Server,
    /// The port on which a nats-server tells what it counts.
    pub(crate) monitor: Option<SocketAddr>,
}

impl Broker {
    /// Starts one that is empty, on `core`.
    pub(crate) async fn start(
        kind: Kind,
        tools: &Tools,
        core: u32,
        logs: &Path,
    ) -> Result<Self, LoadError> {
        let address = free_address()?;
        let monitor = match kind {
            Kind::Nats => Some(free_address()?),
            Kind::Redis => None,
        };
        let (name, command) = match monitor {
            Some(monitor) => ("nats-server", nats(tools, address, monitor, logs)?),
            None => ("redis-server", redis(tools, address)),
        };
        let launch = Launch {
            name,
            command,
            environment: Vec::new(),
            address,
            core,
            logs,
        };
        let server = Server::start(launch).await?;
        Ok(Self {
            kind,
            server,
            monitor,
        })
    }

    /// Where the servers find it.
    pub(crate) fn url(&self) -> String {
        match self.kind {
            Kind::Nats => format!("nats://{}", self.server.address),
            Kind::Redis => format!("redis://{}", self.server.address),
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Result<u32, LoadError> {
        self.server.pid()
    }

    /// Ends it and waits until it is gone.
    pub(crate) async fn stop(self) -> Result<(), LoadError> {
        self.server.stop().await
    }
}

/// JetStream's files go below `logs`; those of the run before are removed.
fn nats(
    tools: &Tools,
    address: SocketAddr,
    monitor: SocketAddr,
    logs: &Path,
) -> Result<Vec<String>, LoadError> {
    let store = logs.join("jetstream");
    match std::fs::remove_dir_all(&store) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let program = tools.nats_server.clone().unwrap_or_default();
    let mut command = owned(&[&program.to_string_lossy(), "--addr"]);
    command.extend([
        address.ip().to_string(),
        "--port".to_owned(),
        address.port().to_string(),
        "--http_port".to_owned(),
        monitor.port().to_string(),
        "--jetstream".to_owned(),
        "--store_dir".to_owned(),
        store.to_string_lossy().into_owned(),
    ]);
    Ok(command)
}

fn redis(tools: &Tools, address: SocketAddr) -> Vec<String> {
    let program = tools.redis_server.clone().unwrap_or_default();
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let program = program.to_string_lossy();
    let fixed = ["--save", "", "--appendonly", "no"];
    let mut command = owned(&[&program, "--bind", &ip, "--port", &port]);
    command.extend(owned(&fixed));
    command
}
