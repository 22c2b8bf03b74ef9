//! What a gateway starts with.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use sluice_crds::Documents;
use sluice_policy::Policy;

use super::Given;
use crate::{
    documents::Texts,
    in_force::{InForce, Origin},
};

/// Where a gateway listens and what it reads.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) config: PathBuf,
    pub(crate) secrets: Option<PathBuf>,
    /// The file with the operator's key.
    pub(crate) operator_key: Option<PathBuf>,
    pub(crate) clients: SocketAddr,
    pub(crate) api: SocketAddr,
    pub(crate) ops: SocketAddr,
    /// What people call this gateway: its pod's name.
    pub(crate) name: String,
    /// Where NATS is and what lets the gateway in, whatever the documents say.
    pub(crate) nats: Given,
}

/// A setup with the documents that its files had, which were checked.
pub(crate) struct Start {
    pub(super) setup: Setup,
    pub(super) texts: Texts,
    pub(super) documents: Documents,
    pub(super) policy: Policy,
    pub(super) origin: Origin,
    pub(super) in_force: Arc<InForce>,
}

impl Start {
    pub(crate) fn new(setup: Setup, texts: Texts, documents: Documents, policy: Policy) -> Self {
        Self {
            setup,
            texts,
            origin: Origin::files(&documents),
            documents,
            policy,
            in_force: Arc::default(),
        }
    }
}
