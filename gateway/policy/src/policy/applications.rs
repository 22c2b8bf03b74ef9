//! Which application a namespace belongs to.

use std::sync::Arc;

use sluice_crds::cluster::Application;

use super::Handshake;
use crate::rooms::{Pattern, Table};

/// The applications of a cluster.
#[derive(Debug)]
pub(super) struct Applications {
    all: Box<[(Arc<str>, Option<Handshake>)]>,
    by_namespace: Table<Arc<str>>,
}

impl Applications {
    /// Makes them ready to be asked. Namespaces of two applications that overlap are refused before;
    /// were there any, the more specific pattern would count.
    pub(super) fn new(specs: &[Application]) -> Self {
        let named = specs.iter().map(|spec| {
            let name: Arc<str> = spec.name.as_str().into();
            (spec, name)
        });
        let named: Vec<_> = named.collect();
        let patterns = named.iter().flat_map(|(spec, name)| {
            let patterns = spec.namespaces.iter();
            patterns.map(move |pattern| (Pattern::new(pattern), Arc::clone(name)))
        });
        let by_namespace = Table::new(patterns);
        let all = named
            .into_iter()
            .map(|(spec, name)| (name, spec.handshake.as_ref().map(Handshake::of)));
        Self {
            all: all.collect(),
            by_namespace,
        }
    }

    pub(super) fn of(&self, namespace: &str) -> Option<&Arc<str>> {
        self.by_namespace.find(namespace)
    }

    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.all.iter().map(|(name, _)| name)
    }

    pub(super) fn handshake(&self, application: &str) -> Option<&Handshake> {
        let mut all = self.all.iter();
        let (_, handshake) = all.find(|(name, _)| **name == *application)?;
        handshake.as_ref()
    }
}
