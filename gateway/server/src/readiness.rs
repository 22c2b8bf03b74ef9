//! Whether a gateway is ready for connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_contract::WireVersion;
use sluice_nats::Nats;

/// How long a gateway waits for NATS before it is ready without.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the backbone says of a gateway's readiness. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    nats: Option<Arc<Nats>>,
    until: Instant,
}

impl Readiness {
    /// The readiness of a gateway that starts now.
    pub(crate) fn new(nats: Option<Arc<Nats>>) -> Self {
        Self {
            nats,
            until: Instant::now() + PATIENCE,
        }
    }

    /// Whether the gateway knows its fleet, or has waited for NATS for long enough.
    pub(crate) fn is_settled(&self) -> bool {
        let knows = |nats: &Arc<Nats>| nats.with(|core, at, _| core.is_acquainted(at));
        self.until <= Instant::now() || self.nats.as_ref().is_none_or(knows)
    }

    /// The newest wire version that the gateway reads, and the one up to which the rollouts of its
    /// fleet are finalised, where that is more: it must not take connections then.
    pub(crate) fn outdated(&self) -> Option<(WireVersion, WireVersion)> {
        let nats = self.nats.as_ref()?;
        nats.with(|core, _, _| Some((core.reads(), core.finalised_beyond()?)))
    }

    /// Whether NATS is away now.
    pub(crate) fn is_alone(&self) -> bool {
        self.nats
            .as_ref()
            .is_some_and(|nats| !nats.link().is_connected())
    }
}
