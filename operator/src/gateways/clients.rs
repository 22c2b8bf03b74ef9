//! The clients for the gateways of all clusters.

use std::{collections::HashMap, sync::Mutex};

use sluice_util::lock;

use super::GatewayClient;

/// A client for the gateways of each cluster, by the clusters' identities, with its key.
#[derive(Default)]
pub(crate) struct GatewayClients(Mutex<HashMap<String, (String, GatewayClient)>>);

impl GatewayClients {
    /// The client of a cluster, which is another one where the key is; none where none can be
    /// made.
    pub(crate) fn get(&self, cluster: &str, key: &str) -> Option<GatewayClient> {
        let mut known = lock(&self.0);
        if let Some((of, client)) = known.get(cluster)
            && of == key
        {
            return Some(client.clone());
        }
        let made = GatewayClient::new(key)
            .inspect_err(|error| tracing::error!(%error, "gateways cannot be asked"));
        let client = made.ok()?;
        known.insert(cluster.to_owned(), (key.to_owned(), client.clone()));
        Some(client)
    }

    /// Forgets the clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        lock(&self.0).retain(|uid, _| is_there(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_one_client_until_its_key_changes() {
        let clients = GatewayClients::default();
        let first = clients.get("uid", "key").unwrap();
        assert!(first.is_same(&clients.get("uid", "key").unwrap()));
        assert!(!first.is_same(&clients.get("uid", "other").unwrap()));
        clients.keep(|_| false);
        assert!(!first.is_same(&clients.get("uid", "key").unwrap()));
    }
}
