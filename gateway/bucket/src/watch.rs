//! What changes in the bucket.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use futures_util::StreamExt as _;
use sluice_contract::{Decoded, Finalised, Revocation, WireVersion};
use tokio::{sync::mpsc, time::sleep};

use crate::{BucketError, Connection, Pushed, bucket, documents::KEY};

/// The pause after the bucket could not be read.
const RETRY: Duration = Duration::from_secs(1);

/// How soon, and how often, it is looked for documents while none were told of. By then a deaf watch
/// has missed its heartbeats.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 15;

/// Something that the bucket holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Documents. The same ones may be told of more than once.
    Documents(Pushed),
    /// A revocation. The same one may be told of more than once.
    Revoked(Revocation),
    /// Rollouts are finalised up to this wire version. The same one may be told of more than once.
    Finalised(WireVersion),
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
                tracing::warn!(%error, "documents and revocations cannot be read; what is in force stays so");
                sleep(RETRY).await;
            }
        }
    }
}

/// Tells until the connection is another one, or the watch is deaf.
async fn follow(connection: &Connection, news: &mpsc::Sender<News>) -> Result<(), BucketError> {
    let lost = connection.lost();
    tokio::pin!(lost);
    let store = bucket::open(connection).await?;
    let refused = |why: String| BucketError::Bucket {
        bucket: store.name.clone(),
        why,
    };
    let status = store.status().await.map_err(|e| refused(e.to_string()))?;
    let is_empty = status.values() == 0;
    if is_empty && news.send(News::Current).await.is_err() {
        return Ok(());
    }
    let keys = [
        KEY.to_owned(),
        Finalised::KEY.to_owned(),
        format!("{}>", Revocation::PREFIX),
    ];
    let entries = store.watch_many_with_history(keys).await;
    let mut telling = Telling {
        entries: entries.map_err(|e| refused(e.to_string()))?,
        news,
        is_current: is_empty,
    };
    let documents = AtomicBool::new(false);
    tokio::select! {
        ended = telling.tell(&documents) => ended.map_err(BucketError::Unavailable),
        () = unheard(&store, &documents) => Ok(()),
        () = &mut lost => Ok(()),
        () = news.closed() => Ok(()),
    }
}

/// Ends when there are documents that the watch does not tell of. One that was opened while the
/// stream's leader changed can be deaf; by itself it notices that only when heartbeats are missed.
async fn unheard(store: &Store, documents: &AtomicBool) {
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        if documents.load(Relaxed) {
            break;
        }
        // What cannot be read now is looked at again.
        if !matches!(store.entry(KEY).await, Ok(Some(_))) {
            continue;
        }
        // They may have come just now, and be on their way here.
        sleep(LOOK).await;
        if !documents.load(Relaxed) {
            tracing::debug!("the watch of the bucket is deaf and is opened again");
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// A watch, and who is told.
struct Telling<'a> {
    entries: Watch,
    news: &'a mpsc::Sender<News>,
    /// Whether all that the bucket held was told of.
    is_current: bool,
}

impl Telling<'_> {
    /// Tells until nobody listens, and says in `documents` when it has told of some.
    async fn tell(&mut self, documents: &AtomicBool) -> Result<(), String> {
        loop {
            let entry = self.entries.next().await.ok_or("the watch ended")?;
            let entry = entry.map_err(|error| error.to_string())?;
            documents.fetch_or(entry.key == KEY, Relaxed);
            let is_last = entry.seen_current && !std::mem::replace(&mut self.is_current, true);
            let told = read(&entry)
                .into_iter()
                .chain(is_last.then_some(News::Current));
            for told in told {
                if self.news.send(told).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// What an entry says. One that is gone says nothing: revocations are forgotten by their own
/// time, and documents and the finalised wire version stay in force until others come.
fn read(entry: &Entry) -> Option<News> {
    if entry.operation != Operation::Put {
        return None;
    }
    let read = match entry.key.as_str() {
        KEY => Decoded::from(String::from_utf8(entry.value.to_vec()).ok()).map(|text| {
            News::Documents(Pushed {
                revision: entry.revision,
                text,
            })
        }),
        Finalised::KEY => {
            Finalised::decode(&entry.value).map(|entry| News::Finalised(entry.version))
        }
        _ => Revocation::decode(&entry.value).map(News::Revoked),
    };
    match read {
        Decoded::Known(news) => return Some(news),
        Decoded::Newer => {
            tracing::warn!(key = %entry.key, "an entry of the bucket is of a newer version and counts for nothing here; update this gateway");
        }
        Decoded::Garbage => {
            tracing::error!(key = %entry.key, "an entry of the bucket cannot be read and counts for nothing; delete it");
        }
    }
    None
}
