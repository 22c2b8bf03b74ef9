//! The documents that a fleet works by.

use async_nats::jetstream::kv::Operation;
use bytes::Bytes;
use sluice_util::Digest64;

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

/// What is the same where the text is: the first 16 hexadecimal digits of its SHA-256.
pub fn digest(text: &str) -> Box<str> {
    Digest64::of(text).to_string().into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_documents_is_the_same_in_every_version() {
        assert_eq!(&*digest("abc"), "ba7816bf8f01cfea");
    }
}
