//! What changes in the bucket.

use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation};
use futures_util::StreamExt as _;
use sluice_policy::Revocation;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    Connection, ControlError, Pushed, bucket,
    policy::KEY,
    revocations::{self, PREFIX},
};

/// The pause after the bucket could not be read.
const RETRY: Duration = Duration::from_secs(1);

/// Something that the bucket holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Documents. The same ones may be told of more than once.
    Policy(Pushed),
    /// A revocation. The same one may be told of more than once.
    Revoked(Revocation),
    /// All that the bucket held was told of; what follows is new.
    Current,
}

/// Tells of all that the bucket holds and of each change, until nobody listens. After each
/// interruption it begins anew, so that nothing is missed.
pub async fn watch(connection: Connection, news: mpsc::Sender<News>) {
    while !news.is_closed() {
        connection.connected().await;
        match follow(&connection, &news).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "policy and revocations cannot be read; what is in force stays so");
                sleep(RETRY).await;
            }
        }
    }
}

/// Tells until the connection is another one.
async fn follow(connection: &Connection, news: &mpsc::Sender<News>) -> Result<(), ControlError> {
    let lost = connection.lost();
    tokio::pin!(lost);
    let store = bucket::open(connection).await?;
    let refused = |why: String| ControlError::Bucket {
        bucket: store.name.clone(),
        why,
    };
    let status = store.status().await.map_err(|e| refused(e.to_string()))?;
    if status.values() == 0 && news.send(News::Current).await.is_err() {
        return Ok(());
    }
    let keys = [KEY.to_owned(), format!("{PREFIX}>")];
    let entries = store.watch_many_with_history(keys).await;
    let mut entries = entries.map_err(|e| refused(e.to_string()))?;
    let mut current = status.values() == 0;
    loop {
        let entry = tokio::select! {
            entry = entries.next() => entry,
            () = &mut lost => return Ok(()),
            () = news.closed() => return Ok(()),
        };
        let entry = entry.ok_or_else(|| refused("the watch ended".to_owned()))?;
        let entry = entry.map_err(|e| refused(e.to_string()))?;
        let was_last = entry.seen_current && !std::mem::replace(&mut current, entry.seen_current);
        let told = read(&entry)
            .into_iter()
            .chain(was_last.then_some(News::Current));
        for told in told {
            if news.send(told).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// What an entry says. One that is gone says nothing: revocations are forgotten by their own
/// time, and documents stay in force until others come.
fn read(entry: &Entry) -> Option<News> {
    if entry.operation != Operation::Put {
        return None;
    }
    let read = if entry.key == KEY {
        String::from_utf8(entry.value.to_vec()).ok().map(|text| {
            News::Policy(Pushed {
                revision: entry.revision,
                text,
            })
        })
    } else {
        revocations::read(&entry.value).map(News::Revoked)
    };
    if read.is_none() {
        tracing::error!(key = %entry.key, "an entry of the bucket cannot be read and counts for nothing; delete it");
    }
    read
}
