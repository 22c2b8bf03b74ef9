//! What was found when clusters were checked.

use std::{
    collections::HashMap,
    panic::resume_unwind,
    sync::{Arc, Mutex},
};

use sluice_util::lock;
use tokio::task::spawn_blocking;

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
    ///
    /// It is done on a thread of its own, since it takes as long as the documents are large.
    pub(super) async fn check(&self, inventory: &Inventory) -> Arc<Checked> {
        let uid = inventory.object.uid();
        let digest = digest(&inventory.to_check());
        let last = lock(&self.0).get(uid).cloned();
        if let Some(last) = last.filter(|last| last.digest == digest) {
            return last.checked;
        }
        let cluster = Arc::clone(&inventory.object);
        let rooms = inventory.rooms.clone();
        let secrets = inventory.secrets.clone();
        let last_documents = inventory.documents.clone();
        let checking = spawn_blocking(move || {
            check::check(&check::Inputs {
                cluster: &cluster,
                rooms: &rooms,
                secrets: &secrets,
                last_documents: &last_documents,
            })
        });
        let checked = match checking.await {
            Ok(checked) => Arc::new(checked),
            Err(failed) => resume_unwind(failed.into_panic()),
        };
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
