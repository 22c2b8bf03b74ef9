//! What the workers of one gateway have in common.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use sluice_backbone::Backbone;
use sluice_bucket::Connection;
use sluice_engineio::Inbound;
use sluice_policy::{Policy, Revocations, counted_address};
use sluice_util::lock;

use crate::{backend::CurrentBackend, in_force::InForce, inboxes::Inboxes, trace::Trace};

/// Shared by all threads of a gateway.
pub(crate) struct Shared {
    pub(crate) backbone: Arc<dyn Backbone>,
    pub(crate) inboxes: Arc<Inboxes>,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) in_force: Arc<InForce>,
    /// Where more than this gateway is told of what is revoked, if there is such a place.
    pub(crate) bucket: Option<Connection>,
    pub(crate) backend: CurrentBackend,
    pub(crate) revocations: Arc<RwLock<Revocations>>,
    pub(crate) addresses: Addresses,
    /// Connections open now, WebSocket and polling.
    pub(crate) connections: AtomicU64,
    pub(crate) peak: AtomicU64,
    pub(crate) draining: AtomicBool,
    pub(crate) trace: Trace,
    /// Whether WebSocket compression is offered.
    pub(crate) compression: bool,
    /// The number of this gateway in session ids.
    pub(crate) number: u32,
    /// What other gateways ask about sessions of this one, where there are others.
    pub(crate) inbound: Option<Inbound>,
}

impl Shared {
    /// Counts a connection in, if the gateway has room for it.
    pub(crate) fn connect(&self, most: u64) -> bool {
        let now = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        if now > most {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.peak.fetch_max(now, Ordering::Relaxed);
        true
    }

    /// Counts a connection out.
    pub(crate) fn disconnect(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// How many connections each client address has.
#[derive(Debug, Default)]
pub(crate) struct Addresses(Mutex<HashMap<IpAddr, u32>>);

impl Addresses {
    /// Counts a connection in, unless the address has `most` already.
    pub(crate) fn enter(&self, address: IpAddr, most: u32) -> bool {
        let mut addresses = lock(&self.0);
        let count = addresses.entry(counted_address(address)).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    /// Counts a connection out.
    pub(crate) fn exit(&self, address: IpAddr) {
        let mut addresses = lock(&self.0);
        let address = counted_address(address);
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_as_many_connections_as_allowed() {
        let addresses = Addresses::default();
        let ip = IpAddr::from([192, 0, 2, 1]);
        assert!(addresses.enter(ip, 1));
        assert!(!addresses.enter(ip, 1));
        addresses.exit(ip);
        assert!(addresses.enter(ip, 1));
    }
}
