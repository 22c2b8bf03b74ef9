//! Which resources wait for a person.

use std::{collections::HashSet, sync::Mutex};

use sluice_util::lock;

use crate::{Kind, metrics::Metrics};

/// The resources of one kind that wait for a person, by their identities. How many there are is a
/// metric.
pub(crate) struct Stalled {
    kind: Kind,
    metrics: Metrics,
    uids: Mutex<HashSet<String>>,
}

impl Stalled {
    /// None of that kind does yet.
    pub(crate) fn new(kind: Kind, metrics: Metrics) -> Self {
        Self {
            kind,
            metrics,
            uids: Mutex::default(),
        }
    }

    /// Notes whether a resource waits for a person.
    pub(crate) fn set(&self, uid: &str, stalls: bool) {
        self.change(|uids| {
            if stalls {
                uids.insert(uid.to_owned());
            } else {
                uids.remove(uid);
            }
        });
    }

    /// Forgets the resources that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.change(|uids| uids.retain(|uid| is_there(uid)));
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<String>)) {
        let mut uids = lock(&self.uids);
        change(&mut uids);
        self.metrics.stalled(self.kind, uids.len());
    }
}
