//! What was found when clusters were checked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use sluice_util::lock;

use super::inventory::Inventory;
use crate::{
    check::{self, Checked},
    digest,
};

/// What the last check of each cluster found, by the clusters' identities.
#[derive(Default)]
pub(super) struct Checks(Mutex<HashMap<String, Check>>);

/// What a check found, and the digest of what was checked.
#[derive(Clone)]
struct Check {
    digest: String,
    checked: Arc<Checked>,
}

impl Checks {
    /// Checks a cluster; what was found stays the same one while what is checked is the same.
    pub(super) fn check(&self, inventory: &Inventory) -> Arc<Checked> {
        let uid = inventory.object.uid();
        let digest = digest(&inventory.to_check());
        let last = lock(&self.0).get(uid).cloned();
        if let Some(last) = last.filter(|last| last.digest == digest) {
            return last.checked;
        }
        let checked = Arc::new(check::check(&check::Inputs {
            cluster: &inventory.object,
            rooms: &inventory.rooms,
            secrets: &inventory.secrets,
            last_documents: &inventory.documents,
        }));
        let check = Check {
            digest,
            checked: Arc::clone(&checked),
        };
        lock(&self.0).insert(uid.to_owned(), check);
        checked
    }

    /// Forgets the clusters that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        lock(&self.0).retain(|uid, _| is_there(uid));
    }
}
