//! What is revoked, in the bucket: one entry each, which goes when it can be forgotten.

use std::time::Duration;

use async_nats::jetstream::{self, context::PublishErrorKind, kv::Store, message::PublishMessage};
use bytes::Bytes;
use sluice_contract::Revocation;

use crate::{BucketError, Connection, bucket};

/// How often an entry that others change at the same time is tried.
const TRIES: u32 = 5;
/// How long it may take until a revocation is kept.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest time that an entry is given, in seconds: NATS counts it in nanoseconds.
const LONGEST: u64 = 3_000_000_000;

impl Connection {
    /// Keeps a revocation for all gateways, those that are not there now too. Of two about the
    /// same thing the wider one is kept. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where NATS cannot be reached, or refuses.
    pub async fn revoke(&self, revocation: &Revocation, now: u64) -> Result<(), BucketError> {
        let kept = tokio::time::timeout(WITHIN, self.write(revocation, now)).await;
        kept.unwrap_or_else(|_| Err(BucketError::Unavailable("no answer in time".to_owned())))
    }

    async fn write(&self, revocation: &Revocation, now: u64) -> Result<(), BucketError> {
        let store = bucket::open(self).await?;
        let refused = |why: String| BucketError::Bucket {
            bucket: store.name.clone(),
            why,
        };
        let key = revocation.key();
        for _ in 0..TRIES {
            let entry = store
                .entry(&key)
                .await
                .map_err(|e| refused(e.to_string()))?;
            let (revision, there) = entry.map_or((0, None), |entry| {
                (entry.revision, Revocation::decode(&entry.value).known())
            });
            let wider = there.map_or_else(|| revocation.clone(), |there| widest(revocation, there));
            match self.put(&store, &key, &wider, revision, now).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {}
                Err(error) => return Err(refused(error.to_string())),
            }
        }
        Err(BucketError::Contended)
    }

    /// Writes an entry that goes by itself, unless it was changed since `revision`.
    async fn put(
        &self,
        store: &Store,
        key: &str,
        revocation: &Revocation,
        revision: u64,
        now: u64,
    ) -> Result<(), jetstream::context::PublishError> {
        let left = revocation.until().saturating_sub(now).clamp(1, LONGEST);
        let value = Bytes::from(revocation.encode());
        let message = PublishMessage::build()
            .payload(value)
            .ttl(Duration::from_secs(left))
            .expected_last_subject_sequence(revision);
        let subject = format!("$KV.{}.{key}", store.name);
        let context = jetstream::new(self.client().clone());
        context.send_publish(subject, message).await?.await?;
        Ok(())
    }
}

/// What both together revoke. They are about the same thing.
fn widest(new: &Revocation, there: Revocation) -> Revocation {
    let latest = new.until().max(there.until());
    match (new.clone(), there) {
        (Revocation::User { id, issued, .. }, Revocation::User { issued: before, .. }) => {
            Revocation::User {
                id,
                issued: issued.max(before),
                until: latest,
            }
        }
        (Revocation::User { id, issued, .. }, _) => Revocation::User {
            id,
            issued,
            until: latest,
        },
        (Revocation::Token { id, .. }, _) => Revocation::Token { id, until: latest },
        (Revocation::Session { id, .. }, _) => Revocation::Session { id, until: latest },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(issued: u64, until: u64) -> Revocation {
        Revocation::User {
            id: "a.b c".into(),
            issued,
            until,
        }
    }

    #[test]
    fn of_two_about_the_same_user_the_wider_is_kept() {
        assert_eq!(widest(&user(5, 10), user(3, 20)), user(5, 20));
        assert_eq!(widest(&user(3, 20), user(5, 10)), user(5, 20));
    }
}
