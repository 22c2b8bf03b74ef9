//! The documents that a cluster's gateways were given.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_bucket::{BucketError, Connection};
use sluice_contract::documents_digest;

use crate::check::Checked;

/// How long the bucket is taken for what it was.
const SURE: Duration = Duration::from_mins(1);

/// How many earlier documents are remembered, for gateways that still work by them.
const REMEMBERED: usize = 4;

/// The documents of a revision.
struct Pushed {
    digest: String,
    revision: u64,
    rooms: Arc<BTreeMap<String, i64>>,
}

/// What is in the bucket, and was there before.
#[derive(Default)]
pub(super) struct Pushes {
    last: VecDeque<Pushed>,
    verified: Option<Instant>,
}

impl Pushes {
    /// Puts the documents into the bucket; says whether that was needed.
    pub(super) async fn push(
        &mut self,
        connection: &Connection,
        text: &str,
        checked: &Checked,
        digest: &str,
    ) -> Result<bool, BucketError> {
        let sure = self.verified.is_some_and(|at| at.elapsed() < SURE);
        if sure && self.last.back().is_some_and(|it| it.digest == digest) {
            return Ok(false);
        }
        let there = connection.pushed().await?;
        let there = there.filter(|there| *documents_digest(&there.text) == *digest);
        let needed = there.is_none();
        let revision = match there {
            Some(there) => there.revision,
            None => connection.push(text.to_owned()).await?,
        };
        self.verified = Some(Instant::now());
        if self.revision() != Some(revision) {
            self.last.push_back(Pushed {
                digest: digest.to_owned(),
                revision,
                rooms: Arc::new(checked.generations()),
            });
        }
        while self.last.len() > REMEMBERED {
            self.last.pop_front();
        }
        Ok(needed)
    }

    /// The newest revision that is known to be in the bucket.
    pub(super) fn revision(&self) -> Option<u64> {
        self.last.back().map(|it| it.revision)
    }

    /// The generations of Rooms in the documents of each revision that is remembered.
    pub(super) fn rooms(&self) -> BTreeMap<u64, Arc<BTreeMap<String, i64>>> {
        let rooms = |it: &Pushed| (it.revision, Arc::clone(&it.rooms));
        self.last.iter().map(rooms).collect()
    }
}
