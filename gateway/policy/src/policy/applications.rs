//! Which application a namespace belongs to.

use std::{sync::Arc, time::Duration};

use sluice_crds::cluster::Application;

use super::Handshake;
use crate::rooms::{Pattern, Table};

/// How lost connections are recovered in the namespaces of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationRecovery {
    /// How long a session waits for its client.
    pub window: Duration,
    /// The most bytes that are kept for that.
    pub bytes: usize,
}

/// How much may wait for an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationLimits {
    /// The most bytes of one session's events.
    pub waiting_per_session: usize,
    /// The most bytes of all sessions' events at one gateway.
    pub waiting: usize,
    /// How long a client is not read before it is closed.
    pub unread_for: Duration,
}

impl From<&sluice_crds::cluster::ApplicationLimits> for ApplicationLimits {
    fn from(spec: &sluice_crds::cluster::ApplicationLimits) -> Self {
        Self {
            waiting_per_session: spec.waiting_bytes_per_session as usize,
            waiting: spec.waiting_bytes as usize,
            unread_for: spec.unread_for.as_std(),
        }
    }
}

#[derive(Debug)]
struct One {
    name: Arc<str>,
    handshake: Option<Handshake>,
    recovery: Option<ApplicationRecovery>,
    limits: ApplicationLimits,
}

/// The applications of a cluster.
#[derive(Debug)]
pub(super) struct Applications {
    all: Box<[One]>,
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
        let all = named.into_iter().map(|(spec, name)| One {
            name,
            handshake: spec.handshake.as_ref().map(Handshake::of),
            recovery: spec.recovery.as_ref().map(|spec| ApplicationRecovery {
                window: spec.window.as_std(),
                bytes: spec.bytes as usize,
            }),
            limits: (&spec.limits).into(),
        });
        Self {
            all: all.collect(),
            by_namespace,
        }
    }

    pub(super) fn of(&self, namespace: &str) -> Option<&Arc<str>> {
        self.by_namespace.find(namespace)
    }

    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.all.iter().map(|one| &one.name)
    }

    pub(super) fn handshake(&self, application: &str) -> Option<&Handshake> {
        self.one(application)?.handshake.as_ref()
    }

    pub(super) fn recovery(&self, application: &str) -> Option<ApplicationRecovery> {
        self.one(application)?.recovery
    }

    /// Those of the application; those by default of one that there is not.
    pub(super) fn limits(&self, application: &str) -> ApplicationLimits {
        match self.one(application) {
            Some(one) => one.limits,
            None => (&sluice_crds::cluster::ApplicationLimits::default()).into(),
        }
    }

    fn one(&self, application: &str) -> Option<&One> {
        self.all.iter().find(|one| *one.name == *application)
    }
}
