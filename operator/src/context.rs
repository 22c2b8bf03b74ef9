//! The clients and queues that every reconciliation works with. What is remembered of resources is
//! kept by those who use it.

use kube::Client;

use crate::{
    apply::Writer,
    backbone::Backbones,
    events::Events,
    metrics::Metrics,
    plan::{Apis, Images},
    secrets::Vault,
    stores::{Queues, Stores},
};

/// What does not change while the operator runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The images of this release.
    pub images: Images,
    /// The Kubernetes namespace that the operator runs in.
    pub operator_namespace: String,
    /// What this process is called in events.
    pub instance: String,
}

/// The clients and queues that every reconciliation works with.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) apis: Apis,
    pub(crate) stores: Stores,
    pub(crate) queues: Queues,
    pub(crate) writer: Writer,
    pub(crate) vault: Vault,
    pub(crate) backbones: Backbones,
    pub(crate) events: Events,
    pub(crate) metrics: Metrics,
}

impl Context {
    /// Clients that have asked for nothing yet.
    pub(crate) fn new(
        client: &Client,
        settings: Settings,
        apis: Apis,
        stores: Stores,
        queues: Queues,
        metrics: Metrics,
    ) -> Self {
        Self {
            events: Events::new(client.clone(), &settings.instance, metrics.clone()),
            settings,
            apis,
            stores,
            queues,
            writer: Writer::new(client.clone(), metrics.clone()),
            vault: Vault::default(),
            backbones: Backbones::default(),
            metrics,
        }
    }
}
