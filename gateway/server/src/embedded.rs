//! A gateway inside another program: how tests run the whole of it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use sluice_policy::Policy;
use tokio::runtime::Runtime;

use crate::{
    documents::{self, Secrets},
    drain::Drainer,
    gateway::{self, Gateway, Given, Ports, Setup, Start},
};

/// A gateway on free ports of this machine. Its workers run until the process ends.
pub struct Embedded {
    number: u32,
    clients: SocketAddr,
    ports: Ports,
    drainer: Arc<Drainer>,
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Starts a gateway by the documents in `config`, a file or a directory, which it reads again
    /// when they change. Must not be called from within a runtime.
    ///
    /// # Errors
    /// Where the documents cannot be used, with all that is wrong with them, or no port be had.
    pub fn start(config: &Path) -> io::Result<Self> {
        Self::named(config, "embedded")
    }

    /// As [`Self::start`], with a name among the gateways of its fleet.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn named(config: &Path, name: &str) -> io::Result<Self> {
        let texts = documents::read(config)?;
        let refused = |problems: Vec<sluice_crds::Problem>| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            io::Error::other(lines.join("; "))
        };
        let documents = texts.load().map_err(refused)?;
        let secrets = Secrets {
            documents: &documents,
            mounted: None,
        };
        let policy = Policy::compile(&documents, &secrets, None).map_err(refused)?;
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let setup = Setup {
            config: config.to_owned(),
            secrets: None,
            operator_key: None,
            clients: free,
            api: free,
            ops: free,
            name: name.to_owned(),
            nats: Given::default(),
        };
        let start = Start::new(setup, texts, documents, policy);
        let runtime = gateway::runtime()?;
        let gateway = Gateway::start(start, &runtime)?;
        let (clients, drainer) = (gateway.clients(), Arc::clone(&gateway.drainer));
        let number = gateway.number();
        let ports = runtime.block_on(gateway.open())?;
        Ok(Self {
            number,
            clients,
            ports,
            drainer,
            runtime: Some(runtime),
        })
    }

    /// Its number among the gateways of its fleet, as the server API writes it.
    pub fn number(&self) -> String {
        format!("{:08x}", self.number)
    }

    /// Where clients connect.
    pub fn clients(&self) -> SocketAddr {
        self.clients
    }

    /// Where the server API is.
    pub fn api(&self) -> SocketAddr {
        self.ports.api
    }

    /// Where health and metrics are.
    pub fn ops(&self) -> SocketAddr {
        self.ports.ops
    }

    /// Begins a drain as SIGTERM does.
    pub fn terminate(&self) {
        self.drainer.terminate();
    }

    /// Waits until a drain has moved everyone, or its deadline has passed.
    pub async fn released(&self) {
        self.drainer.released().await;
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
