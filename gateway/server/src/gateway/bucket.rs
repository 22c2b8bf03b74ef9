//! What this gateway hears from the bucket.

use std::{io, sync::Arc, time::Duration};

use sluice_bucket::{Connection, Login, News, Pushed};
use sluice_contract::WireVersion;
use sluice_nats::Nats;
use sluice_policy::{Policy, Revocations};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    Start, finalised,
    nats_login::{names, nats_login},
    pushed,
    revocations::{self, Revoker},
};
use crate::{documents::Secrets, in_force::Origin};

/// How long a gateway waits for the bucket before it starts by its own files.
const FIRST: Duration = Duration::from_secs(2);
/// How much may have been heard and not been taken up.
const HEARD: usize = 1_024;

/// The bucket, and what was heard of it before the gateway took anybody in.
pub(super) struct Bucket {
    pub(super) connection: Connection,
    revocations: Revocations,
    news: mpsc::Receiver<News>,
    /// The documents that were in the bucket.
    first: Option<Pushed>,
    /// Up to which wire version rollouts were finalised.
    finalised: WireVersion,
}

impl Bucket {
    /// Connects where the documents name NATS, and reads the bucket, for so long at most. What
    /// it holds is what the gateway starts with, if it can be used.
    ///
    /// # Errors
    /// Where the documents name servers or credentials that cannot be used.
    pub(super) async fn read_first(start: &mut Start) -> io::Result<Option<Self>> {
        let Some(login) = login(start)? else {
            start.in_force.took(&start.origin);
            return Ok(None);
        };
        let connection = Connection::open(&login, names(&start.documents)).await?;
        let (heard, news) = mpsc::channel(HEARD);
        tokio::spawn(sluice_bucket::watch(connection.clone(), heard));
        let mut bucket = Self {
            connection,
            revocations: Revocations::default(),
            news,
            first: None,
            finalised: WireVersion::FIRST,
        };
        if timeout(FIRST, bucket.read()).await.is_err() {
            tracing::warn!(
                "NATS has not answered yet; the gateway starts by its own files, and without what was revoked before"
            );
        }
        start.in_force.took(&start.origin);
        if let Some(first) = &bucket.first {
            begin_with(first, start);
        }
        Ok(Some(bucket))
    }

    /// What was revoked before the gateway took anybody in.
    pub(super) fn take_revocations(&mut self) -> Revocations {
        std::mem::take(&mut self.revocations)
    }

    /// Up to which wire version rollouts were finalised before the gateway took anybody in.
    pub(super) fn finalised(&self) -> WireVersion {
        self.finalised
    }

    /// Reads what the bucket holds.
    async fn read(&mut self) {
        while let Some(news) = self.news.recv().await {
            match news {
                News::Documents(pushed) => self.first = Some(pushed),
                News::Revoked(revocation) => {
                    revocations::insert(&mut self.revocations, revocation);
                }
                News::Finalised(version) => self.finalised = version,
                News::Current => return,
            }
        }
    }

    /// Hears from now on: revocations and finalised wire versions take hold at once, documents wait
    /// to be taken up.
    pub(super) fn hear(self, revoker: Revoker, nats: Option<Arc<Nats>>) -> PushedDocuments {
        let (documents, pushed) = watch::channel(None);
        tokio::spawn(hear(self.news, revoker, nats, documents));
        PushedDocuments {
            last: self.first.as_ref().map(pushed::origin),
            pushed,
        }
    }
}

/// The documents of the bucket, as they come.
pub(super) struct PushedDocuments {
    /// The documents that were taken up last.
    last: Option<Origin>,
    pushed: watch::Receiver<Option<Pushed>>,
}

impl PushedDocuments {
    /// Whether the bucket has held any: they count from then on, and the gateway's own files do
    /// not.
    pub(super) fn rule(&self) -> bool {
        self.last.is_some()
    }

    /// Documents that were not taken up yet, once there are any.
    pub(super) async fn next(&mut self) -> Pushed {
        loop {
            if self.pushed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let pushed = self.pushed.borrow_and_update().clone();
            let Some(pushed) = pushed else {
                continue;
            };
            let origin = Some(pushed::origin(&pushed));
            if origin != self.last {
                self.last = origin;
                return pushed;
            }
        }
    }
}

fn login(start: &Start) -> io::Result<Option<Login>> {
    let backbone = start.documents.cluster.spec.backbone.as_ref();
    if backbone.is_none_or(|backbone| backbone.nats.is_none()) {
        return Ok(None);
    }
    let mounted = start.setup.secrets.as_deref();
    let login = nats_login(&start.documents, &start.setup.nats, mounted)?;
    Ok(Some(Login {
        name: format!("{} (control)", start.setup.name),
        ..login
    }))
}

/// Starts with the documents of the bucket instead of the gateway's own, if they can be used.
fn begin_with(first: &Pushed, start: &mut Start) {
    let taken = pushed::load(first, &start.documents).and_then(|documents| {
        let secrets = Secrets {
            documents: &documents,
            mounted: start.setup.secrets.as_deref(),
        };
        let policy = Policy::compile(&documents, &secrets, None)?;
        Ok((documents, policy))
    });
    match taken {
        Ok((documents, policy)) => {
            (start.documents, start.policy) = (documents, policy);
            start.origin = pushed::origin(first);
            start.in_force.took(&start.origin);
            tracing::info!(
                revision = first.revision,
                "the documents of the bucket are in force"
            );
        }
        Err(problems) => start.in_force.refuse(first.revision, &problems),
    }
}

async fn hear(
    mut news: mpsc::Receiver<News>,
    revoker: Revoker,
    nats: Option<Arc<Nats>>,
    documents: watch::Sender<Option<Pushed>>,
) {
    while let Some(news) = news.recv().await {
        match news {
            News::Documents(pushed) => drop(documents.send_replace(Some(pushed))),
            News::Revoked(revocation) => revoker.take(revocation),
            News::Finalised(version) => {
                if let Some(nats) = &nats {
                    finalised::take(nats, version);
                }
            }
            News::Current => {}
        }
    }
}
