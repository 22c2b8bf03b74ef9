//! The documents that a fleet works by.

use async_nats::jetstream::kv::Operation;
use bytes::Bytes;

use crate::{BucketError, Connection, bucket};

/// The key of the documents in the bucket.
pub(crate) const KEY: &str = "policy";

/// Documents as they are in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Their revision; a greater one is newer.
    pub revision: u64,
    /// One `RealtimeCluster` and its Rooms in YAML or JSON, separated by `---`.
    pub text: String,
}

impl Connection {
    /// The documents in the bucket, if there are any.
    ///
    /// # Errors
    /// Where NATS cannot be reached or refuses.
    pub async fn pushed(&self) -> Result<Option<Pushed>, BucketError> {
        let store = bucket::open(self).await?;
        let entry = store.entry(KEY).await;
        let entry = entry.map_err(|error| BucketError::Bucket {
            bucket: store.name.clone(),
            why: error.to_string(),
        })?;
        let put = entry.filter(|entry| entry.operation == Operation::Put);
        Ok(put.map(|entry| Pushed {
            revision: entry.revision,
            text: String::from_utf8_lossy(&entry.value).into_owned(),
        }))
    }

    /// Puts documents into the bucket, and returns their revision. They were checked, and there
    /// is no Secret among them.
    ///
    /// # Errors
    /// Where they are too large, or NATS cannot be reached or refuses.
    pub async fn push(&self, text: String) -> Result<u64, BucketError> {
        let store = bucket::open(self).await?;
        let most = self.client().server_info().max_payload;
        if text.len() > most {
            let bytes = text.len();
            return Err(BucketError::TooLarge { bytes, most });
        }
        store
            .put(KEY, Bytes::from(text))
            .await
            .map_err(|error| BucketError::Bucket {
                bucket: store.name.clone(),
                why: error.to_string(),
            })
    }
}
