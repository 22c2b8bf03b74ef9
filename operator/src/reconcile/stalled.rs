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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_counted_once_until_it_waits_no_more_or_is_gone() {
        let metrics = Metrics::new().unwrap();
        let count = || {
            let families = metrics.registry().gather();
            let stalled = families
                .iter()
                .find(|it| it.name() == "sluice_operator_stalled");
            stalled.unwrap().get_metric()[0].get_gauge().get_value()
        };
        let stalled = Stalled::new(Kind::Room, metrics.clone());
        for uid in ["a", "a", "b"] {
            stalled.set(uid, true);
        }
        assert!((count() - 2.0).abs() < f64::EPSILON);
        stalled.set("a", false);
        assert!((count() - 1.0).abs() < f64::EPSILON);
        stalled.keep(|_| false);
        assert!(count().abs() < f64::EPSILON);
    }
}
