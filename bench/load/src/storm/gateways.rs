//! Three gateways over one nats-server, every room with a history.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::balancer::Endpoints;
use super::{Cause, Storm};
use crate::error::LoadError;
use crate::fleet::broker::{Broker, Kind};
use crate::fleet::{Tools, config};
use crate::http;
use crate::suite::launch::{Launch, Server, free_address};
use crate::suite::runner::SCRATCH;
use crate::suite::server::gateway_environment;

const GATEWAYS: usize = 3;

/// How long a gateway may take until it is ready.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// The processes. Dropped, they are killed.
pub(super) struct Gateways {
    broker: Broker,
    servers: Vec<Server>,
    endpoints: Vec<Endpoints>,
}

impl Gateways {
    /// Starts all and waits until they are ready.
    pub(super) async fn start(storm: &Storm) -> Result<Self, LoadError> {
        let logs = Path::new(SCRATCH);
        let tools = Tools::nats(&storm.nats_server);
        let broker = Broker::start(Kind::Nats, &tools, storm.server_core, logs).await?;
        let file = logs.join("storm.yaml");
        config::write_for_moves(&file, &broker.url())?;
        let (mut servers, mut endpoints) = (Vec::new(), Vec::new());
        for number in 1..=GATEWAYS {
            let (server, gateway) = start(storm, number, &file).await?;
            servers.push(server);
            endpoints.push(gateway);
        }
        Ok(Self {
            broker,
            servers,
            endpoints,
        })
    }

    /// Where clients connect.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.endpoints
            .iter()
            .map(|gateway| gateway.clients)
            .collect()
    }

    pub(super) fn endpoints(&self) -> Vec<Endpoints> {
        self.endpoints.clone()
    }

    /// Ends the first one. A drain goes on after this.
    pub(super) async fn end_first(&mut self, cause: Cause) -> Result<(), LoadError> {
        let gone = || LoadError::Suite("there is no gateway".to_owned());
        let pid = self.servers.first().ok_or_else(gone)?.pid()?;
        let signal = match cause {
            Cause::Drain => "-TERM",
            Cause::Kill => "-KILL",
        };
        let status = Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .await?;
        if status.success() {
            return Ok(());
        }
        Err(LoadError::Suite(format!(
            "kill {signal} {pid} ended with {status}"
        )))
    }

    /// Ends all processes.
    pub(super) async fn stop(self) -> Result<(), LoadError> {
        for server in self.servers {
            server.stop().await?;
        }
        self.broker.stop().await
    }
}

async fn start(
    storm: &Storm,
    number: usize,
    file: &Path,
) -> Result<(Server, Endpoints), LoadError> {
    let name = format!("storm-{number}");
    let (clients, operations) = (free_address()?, free_address()?);
    let mut environment = gateway_environment(clients);
    environment.push(("SLUICE_OPS_LISTEN", operations.to_string()));
    environment.push(("SLUICE_NAME", name.clone()));
    let program = storm.gateway.to_string_lossy().into_owned();
    let launch = Launch {
        name: &name,
        command: vec![
            program,
            "--config".to_owned(),
            file.to_string_lossy().into_owned(),
        ],
        environment,
        address: clients,
        core: storm.server_core,
        logs: Path::new(SCRATCH),
    };
    let server = Server::start(launch).await?;
    ready(&name, operations).await?;
    Ok((
        server,
        Endpoints {
            clients,
            operations,
        },
    ))
}

async fn ready(name: &str, operations: SocketAddr) -> Result<(), LoadError> {
    let end = Instant::now() + READY_LIMIT;
    while let Err(error) = http::get(operations, "/readyz") {
        if Instant::now() > end {
            let reason = format!("{name} is not ready after {READY_LIMIT:?}: {error}");
            return Err(LoadError::Suite(reason));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
