//! Clients, which come back when they lose their connection.

use rand::RngExt as _;

use crate::world::{SECOND, World};

#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The pod that it is connected to.
    pub at: Option<u32>,
    /// When it connects again.
    pub again: u64,
    /// How often it was moved.
    pub moves: u32,
    pub gone: bool,
}

impl World {
    pub fn add_clients(&mut self, count: usize, after: u64) {
        for _ in 0..count {
            let again = self.now + after + self.rng.random_range(1..=10 * SECOND);
            self.clients.push(Client {
                again,
                ..Client::default()
            });
        }
    }

    pub fn remove_clients(&mut self, count: usize) {
        let there: Vec<_> = (0..self.clients.len())
            .filter(|at| !self.clients[*at].gone)
            .collect();
        for at in there.into_iter().take(count) {
            self.clients[at].gone = true;
            self.clients[at].at = None;
            for pod in &mut self.pods {
                pod.clients.retain(|client| *client != at);
            }
        }
    }

    pub fn connect_clients(&mut self) {
        let due = |client: &Client, now| client.at.is_none() && !client.gone && client.again <= now;
        let waiting: Vec<_> = (0..self.clients.len())
            .filter(|at| due(&self.clients[*at], self.now))
            .collect();
        for client in waiting {
            self.connect(client);
        }
    }

    /// To any pod that the Service knows, which may be one that takes no more.
    fn connect(&mut self, client: usize) {
        let known = self.endpoints.front().cloned().unwrap_or_default();
        self.clients[client].again = self.now + self.rng.random_range(1..=2 * SECOND);
        if known.is_empty() {
            return;
        }
        let id = known[self.rng.random_range(0..known.len())];
        let most = self.spec.settings.max_connections as usize;
        let Some(pod) = self.pods.iter_mut().find(|pod| pod.id == id) else {
            return;
        };
        if pod.accepts() && pod.clients.len() < most {
            pod.clients.push(client);
            self.clients[client].at = Some(id);
        }
    }

    /// Clients lose their connections: `moved` because a gateway closed them.
    pub fn disconnect(&mut self, clients: Vec<usize>, moved: bool) {
        for client in clients {
            let again = self.now + self.rng.random_range(1..=2 * SECOND);
            let client = &mut self.clients[client];
            client.at = None;
            client.again = again;
            client.moves += u32::from(moved);
        }
    }
}
