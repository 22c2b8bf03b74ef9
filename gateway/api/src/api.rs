//! What all operations share.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use prometheus::Registry;
use sluice_backbone::Backbone;
use tokio::sync::Semaphore;

use crate::{Drain, Fleet, Keys, Rules, metrics::Metrics};

/// How much is taken on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// How long a request may take, from its head to the answer.
    pub request_time: Duration,
    /// How many requests are worked on at once; more are refused.
    pub requests: usize,
    /// How many connections that have shown a key are open at once; requests of more are refused.
    pub connections: usize,
}

impl Default for Limits {
    /// 2 MiB, so that a message of a million bytes fits in base64 too; 10 seconds, 256 requests, 1024 connections.
    fn default() -> Self {
        Self {
            body_bytes: 2 << 20,
            request_time: Duration::from_secs(10),
            requests: 256,
            connections: 1024,
        }
    }
}

/// The server API of one gateway. Clones are the same API.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    backbone: Arc<dyn Backbone>,
    rules: Arc<dyn Rules>,
    drain: Arc<dyn Drain>,
    fleet: Arc<dyn Fleet>,
    keys: ArcSwap<Keys>,
    operator_keys: ArcSwap<Keys>,
    limits: Limits,
    metrics: Metrics,
    requests: Semaphore,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

impl Api {
    /// An API that refuses everything until [`Self::set_keys`] gives it keys. Its metrics, all
    /// beginning with `sluice_api_`, are registered at `registry`; that fails only where another
    /// API is registered there already.
    pub fn new(
        backbone: Arc<dyn Backbone>,
        rules: Arc<dyn Rules>,
        drain: Arc<dyn Drain>,
        fleet: Arc<dyn Fleet>,
        limits: Limits,
        registry: &Registry,
    ) -> Result<Self, prometheus::Error> {
        Ok(Self(Arc::new(Shared {
            backbone,
            rules,
            drain,
            fleet,
            keys: ArcSwap::default(),
            operator_keys: ArcSwap::default(),
            limits,
            metrics: Metrics::new(registry)?,
            requests: Semaphore::new(limits.requests),
        })))
    }

    /// Takes these keys, and no others, from the next request on.
    pub fn set_keys(&self, keys: Keys) {
        self.0.keys.store(Arc::new(keys));
    }

    /// Takes these keys from the operator, beside those of [`Self::set_keys`], from the next
    /// request on. They are good for what an operator does, and for nothing else: `/v1/drain`,
    /// `/v1/fleet` and `/v1/rooms`.
    pub fn set_operator_keys(&self, keys: Keys) {
        self.0.operator_keys.store(Arc::new(keys));
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        self.0.keys.load_full()
    }

    pub(crate) fn operator_keys(&self) -> Arc<Keys> {
        self.0.operator_keys.load_full()
    }

    pub(crate) fn backbone(&self) -> &dyn Backbone {
        &*self.0.backbone
    }

    pub(crate) fn rules(&self) -> &dyn Rules {
        &*self.0.rules
    }

    pub(crate) fn drain(&self) -> &dyn Drain {
        &*self.0.drain
    }

    pub(crate) fn fleet(&self) -> &dyn Fleet {
        &*self.0.fleet
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn requests(&self) -> &Semaphore {
        &self.0.requests
    }
}
