//! Which objects of a kind belong to which cluster, so that looking at one cluster costs nothing
//! for all the others.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use sluice_util::lock;

use crate::Object;

/// A Kubernetes namespace, and the name of an object or of a cluster in it.
type Place = (Box<str>, Box<str>);

#[derive(Default)]
struct Entries {
    names: HashMap<Place, BTreeSet<Box<str>>>,
    /// The cluster of each object, which its next version may leave.
    clusters: HashMap<Place, Box<str>>,
}

/// The names of the objects of one kind, by their cluster.
#[derive(Default)]
pub(super) struct Index(Mutex<Entries>);

impl Index {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.0)
    }

    /// The names of a cluster's objects, in their order.
    pub(super) fn names(&self, namespace: &str, cluster: &str) -> Vec<Box<str>> {
        let entries = self.entries();
        let names = entries.names.get(&place(namespace, cluster));
        names.map_or_else(Vec::new, |names| names.iter().cloned().collect())
    }

    /// An object is there, and belongs to a cluster or to none.
    pub(super) fn put(&self, object: &Object, cluster: Option<&str>) {
        let mut entries = self.entries();
        entries.remove(object);
        if let Some(cluster) = cluster {
            entries.add(object, cluster);
        }
    }

    /// An object is there no more.
    pub(super) fn remove(&self, object: &Object) {
        self.entries().remove(object);
    }

    /// These objects are there, and no others.
    pub(super) fn replace<'o>(
        &self,
        objects: &'o [Arc<Object>],
        cluster: impl Fn(&'o Object) -> Option<&'o str>,
    ) {
        let mut fresh = Entries::default();
        for object in objects {
            if let Some(cluster) = cluster(object) {
                fresh.add(object, cluster);
            }
        }
        *self.entries() = fresh;
    }
}

impl Entries {
    fn add(&mut self, object: &Object, cluster: &str) {
        let (namespace, name) = (object.namespace(), object.name());
        let of = self.names.entry(place(namespace, cluster)).or_default();
        of.insert(name.into());
        self.clusters.insert(place(namespace, name), cluster.into());
    }

    fn remove(&mut self, object: &Object) {
        let (namespace, name) = (object.namespace(), object.name());
        let Some(cluster) = self.clusters.remove(&place(namespace, name)) else {
            return;
        };
        let at = (namespace.into(), cluster);
        if let Some(names) = self.names.get_mut(&at) {
            names.remove(name);
            if names.is_empty() {
                self.names.remove(&at);
            }
        }
    }
}

fn place(namespace: &str, name: &str) -> Place {
    (namespace.into(), name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str) -> Object {
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": "n"}})).unwrap()
    }

    #[test]
    fn an_object_that_changes_its_cluster_leaves_the_one_before() {
        let index = Index::default();
        index.put(&object("b"), Some("x"));
        index.put(&object("a"), Some("x"));
        assert_eq!(index.names("n", "x"), ["a".into(), "b".into()]);
        index.put(&object("a"), Some("y"));
        assert_eq!(index.names("n", "x"), ["b".into()]);
        assert_eq!(index.names("n", "y"), ["a".into()]);
        assert!(index.names("other", "y").is_empty());
    }

    #[test]
    fn what_is_gone_leaves_nothing_behind() {
        let index = Index::default();
        index.put(&object("a"), Some("x"));
        index.put(&object("b"), None);
        index.remove(&object("a"));
        index.remove(&object("b"));
        let entries = index.entries();
        assert!(entries.names.is_empty() && entries.clusters.is_empty());
    }

    #[test]
    fn what_went_unseen_is_gone_once_all_is_seen_anew() {
        let index = Index::default();
        index.put(&object("a"), Some("x"));
        let seen = [Arc::new(object("b"))];
        index.replace(&seen, |_| Some("x"));
        assert_eq!(index.names("n", "x"), ["b".into()]);
    }
}
