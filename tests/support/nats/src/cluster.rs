//! Several servers that are one.

use crate::{Server, Settings, free_port, settings::Member, until};

/// Servers with routes between them.
#[derive(Debug)]
pub struct Cluster {
    /// The servers, which can be killed and restarted one by one.
    pub servers: Vec<Server>,
}

impl Cluster {
    /// Starts so many servers with these settings, and waits until each knows all others and
    /// JetStream, where they have it, is ready.
    pub async fn start(count: usize, settings: Settings) -> Self {
        let ports: Vec<_> = (0..count).map(|_| free_port()).collect();
        let cluster = format!("c{}", ports.first().copied().unwrap_or_default());
        let servers = ports.iter().map(|&port| {
            let member = Member {
                cluster: cluster.clone(),
                port,
                routes: ports.clone(),
            };
            Server::new(&settings.clone().member(member))
        });
        let mut cluster = Self {
            servers: servers.collect(),
        };
        cluster.servers.iter_mut().for_each(Server::spawn);
        cluster.whole().await;
        cluster
    }

    /// Waits until all servers run, and each tells clients of all.
    pub async fn whole(&mut self) {
        let all = self.servers.len();
        for server in &mut self.servers {
            server.healthy().await;
            until("the servers of a cluster know each other", async || {
                server.announced().await >= all
            })
            .await;
        }
    }

    /// Where clients connect to: all servers.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Server::url).collect()
    }
}
