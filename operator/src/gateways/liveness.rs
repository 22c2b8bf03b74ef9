//! Noticing soon that a gateway is gone, on which Kubernetes sends it connections all the while.
//!
//! A process that ends has its connections closed in that moment, and what connects to it then is
//! refused; its node tells after a second or two. A node that dies says nothing, and counts as ready
//! for most of a minute: its gateways answer nothing, as if there were no way to them. But others of
//! their fleet hear each of them every second, and so does who listens.

mod missed;
mod probe;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard},
};

use sluice_util::lock;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
};

use self::probe::Probe;
use crate::{backbone::Backbones, stores::Changed};

/// Whether gateways are alive, by the identity of their pods.
pub(crate) struct Liveness {
    backbones: Backbones,
    all: Mutex<HashMap<String, Entry>>,
}

/// A gateway that is watched.
#[derive(Clone)]
pub(crate) struct WatchedGateway {
    /// The identity of its pod.
    pub(crate) pod: String,
    /// Its name in its fleet, which is its pod's.
    pub(crate) name: String,
    /// Where its server API is.
    pub(crate) address: SocketAddr,
}

/// Whether a gateway is alive, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GatewayState {
    /// It was reached, or its fleet hears it.
    Alive,
    /// It refuses connections: its process has ended.
    Ended,
    /// It answers nothing, and its fleet does not hear it.
    Lost,
}

struct Entry {
    /// The identity of the cluster.
    cluster: String,
    address: SocketAddr,
    state: watch::Receiver<Option<GatewayState>>,
    task: AbortHandle,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Liveness {
    /// Watches nothing yet; the backbones are where gateways are listened to.
    pub(crate) fn new(backbones: Backbones) -> Self {
        Self {
            backbones,
            all: Mutex::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        lock(&self.all)
    }

    /// Watches these gateways of a cluster and no others of it. The cluster is looked at again when
    /// one is gone, and when one is there again.
    pub(crate) fn watch(
        &self,
        uid: &str,
        gateways: &[WatchedGateway],
        cluster: &Changed,
        queue: &mpsc::Sender<Changed>,
    ) {
        let mut all = self.all();
        all.retain(|pod, entry| {
            let is = |it: &WatchedGateway| it.pod == *pod && it.address == entry.address;
            entry.cluster != uid || gateways.iter().any(is)
        });
        for gateway in gateways {
            all.entry(gateway.pod.clone())
                .or_insert_with(|| self.begin(uid, gateway, cluster, queue));
        }
    }

    fn begin(
        &self,
        uid: &str,
        gateway: &WatchedGateway,
        cluster: &Changed,
        queue: &mpsc::Sender<Changed>,
    ) -> Entry {
        let (sender, state) = watch::channel(None);
        let probe = Probe {
            gateway: gateway.clone(),
            uid: uid.to_owned(),
            cluster: cluster.clone(),
            queue: queue.clone(),
            backbones: self.backbones.clone(),
            state: sender,
        };
        Entry {
            cluster: uid.to_owned(),
            address: gateway.address,
            state,
            task: tokio::spawn(probe.run()).abort_handle(),
        }
    }

    /// What is known of the gateway of a pod; `None` while that is nothing.
    pub(crate) fn state(&self, pod: &str) -> Option<GatewayState> {
        *self.all().get(pod)?.state.borrow()
    }

    /// Watches no gateways of clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.all().retain(|_, entry| is_there(&entry.cluster));
    }
}

#[cfg(test)]
mod tests;
