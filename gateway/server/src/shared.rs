//! What the workers of one gateway have in common.

use std::sync::{Arc, RwLock};

use arc_swap::ArcSwap;
use sluice_backbone::Backbone;
use sluice_policy::{Policy, Revocations};

use crate::{
    admission::Admission, applications::Applications, backend::CurrentBackend, trace::Trace,
};

/// What every worker serves its connections by. Whoever else needs one of these has it beside.
pub(crate) struct Shared {
    pub(crate) backbone: Arc<dyn Backbone>,
    /// The policy that a worker begins with, and that a new connection is let in by.
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) backend: Arc<CurrentBackend>,
    /// Those of the documents, where there is NATS.
    pub(crate) applications: Arc<Applications>,
    pub(crate) revocations: Arc<RwLock<Revocations>>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) trace: Arc<Trace>,
    /// Whether WebSocket compression is offered.
    pub(crate) compression: bool,
    /// The number of this gateway in session ids.
    pub(crate) number: u32,
}
