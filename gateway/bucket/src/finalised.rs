//! Up to which wire version the rollouts of the cluster are finalised, in the bucket.

use async_nats::jetstream::kv::{Operation, Store};
use bytes::Bytes;
use sluice_contract::{Finalised, WireVersion};

use crate::{BucketError, Connection, bucket};

/// How often an entry that others change at the same time is tried.
const TRIES: u32 = 5;

impl Connection {
    /// Has the bucket say that rollouts are finalised up to `version`, and returns what it says
    /// then: that, or a greater one that was there. It is never made less, since what was written
    /// in the forms of a version can be read by no gateway that does not read it.
    ///
    /// # Errors
    /// Where NATS cannot be reached or refuses, or others changed the entry again and again.
    pub async fn finalise(&self, version: WireVersion) -> Result<WireVersion, BucketError> {
        let store = bucket::open(self).await?;
        for _ in 0..TRIES {
            let (revision, there) = read(&store).await?;
            if let Some(there) = there.filter(|there| *there >= version) {
                return Ok(there);
            }
            let value = Bytes::from(Finalised { version }.encode());
            // Fails where another one has written it since; what that was is looked at.
            match store.update(Finalised::KEY, value, revision).await {
                Ok(_) => return Ok(version),
                Err(error) => tracing::debug!(%error, "the finalised wire version is not written"),
            }
        }
        Err(BucketError::Contended)
    }

    /// Up to which wire version rollouts are finalised, if the bucket says it.
    ///
    /// # Errors
    /// Where NATS cannot be reached or refuses.
    pub async fn finalised(&self) -> Result<Option<WireVersion>, BucketError> {
        let store = bucket::open(self).await?;
        let (_, there) = read(&store).await?;
        Ok(there)
    }
}

/// The entry's revision, and what it says if it can be read.
async fn read(store: &Store) -> Result<(u64, Option<WireVersion>), BucketError> {
    let entry = store.entry(Finalised::KEY).await;
    let entry = entry.map_err(|error| BucketError::Bucket {
        bucket: store.name.clone(),
        why: error.to_string(),
    })?;
    Ok(entry.map_or((0, None), |entry| {
        let put = entry.operation == Operation::Put;
        let known = Finalised::decode(&entry.value).known().filter(|_| put);
        (entry.revision, known.map(|known| known.version))
    }))
}
