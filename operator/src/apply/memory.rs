//! What was written, until it is seen.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use serde_json::Value;
use sluice_util::lock;

use crate::{Kind, Object, compare::differences};

/// Names an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: Kind,
    namespace: Box<str>,
    name: Box<str>,
}

impl Key {
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// An object as it was written last.
#[derive(Debug, Default)]
struct Note {
    /// What was wanted.
    digest: String,
    /// The version that the API server gave it; older ones are from before.
    version: u64,
    /// Where the API server made something else of it, and always will.
    odd: Vec<String>,
}

#[derive(Debug, Default)]
struct Notes {
    objects: HashMap<Key, Note>,
    /// The version and the digest of each status.
    statuses: HashMap<Key, (u64, String)>,
}

/// What was written, by object. It spares writes while what is seen lags behind what was done.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Notes>);

impl Memory {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        lock(&self.0)
    }

    pub(super) fn is_as_wanted(
        &self,
        key: &Key,
        digest: &str,
        value: &Value,
        live: &Object,
    ) -> bool {
        let notes = self.notes();
        let note = notes.objects.get(key).filter(|note| note.digest == digest);
        if note.is_some_and(|note| version(live) < note.version) {
            return true;
        }
        let odd = note.map_or(&[][..], |note| &note.odd);
        let found = differences(value, &live.to_value());
        found.iter().all(|path| odd.contains(path))
    }

    pub(super) fn note(&self, key: Key, digest: String, applied: &Object, odd: Vec<String>) {
        let version = version(applied);
        let note = Note {
            digest,
            version,
            odd,
        };
        self.notes().objects.insert(key, note);
    }

    pub(super) fn status_is(&self, key: &Key, object: &Object, status: &Value) -> bool {
        match self.notes().statuses.get(key) {
            Some((newer, digest)) if version(object) <= *newer => *digest == crate::digest(status),
            _ => object.field("status") == *status,
        }
    }

    pub(super) fn note_status(&self, key: Key, patched: &Object, status: &Value) {
        let note = (version(patched), crate::digest(status));
        self.notes().statuses.insert(key, note);
    }

    pub(super) fn forget(&self, key: &Key) {
        let mut notes = self.notes();
        notes.objects.remove(key);
        notes.statuses.remove(key);
    }

    pub(super) fn forget_all(&self, namespace: &str, names: impl Fn(&str) -> bool) {
        let goes = |key: &Key| &*key.namespace == namespace && names(&key.name);
        let mut notes = self.notes();
        notes.objects.retain(|key, _| !goes(key));
        notes.statuses.retain(|key, _| !goes(key));
    }
}

/// The version of an object; versions of one kind grow.
fn version(object: &Object) -> u64 {
    let version = object.metadata.resource_version.as_deref();
    version
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}
