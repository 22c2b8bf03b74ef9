//! What this gateway hears from the bucket, and says by subject.

use std::{
    io,
    sync::{Arc, PoisonError},
    time::Duration,
};

use sluice_api::{Api, Caller};
use sluice_backbone::{Command, Delivery, Gather, Target};
use sluice_bucket::{Connection, Login, News, Pushed};
use sluice_policy::{Policy, Revocation, Revocations};
use sluice_rooms::SessionId;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use super::{Start, fleet, pushed, reload, requests};
use crate::{
    documents::Secrets,
    in_force::Origin,
    mail::Mail,
    shared::{Shared, unix_now},
};

/// How long a gateway waits for the bucket before it starts by its own files.
const FIRST: Duration = Duration::from_secs(2);
/// How much may have been heard and not been taken up.
const HEARD: usize = 1_024;

/// The connection, and what was heard before the gateway took anybody in.
pub(super) struct Control {
    connection: Connection,
    revocations: Revocations,
    news: mpsc::Receiver<News>,
    /// The documents that were in the bucket.
    first: Option<Pushed>,
}

impl Control {
    /// Connects where the documents name NATS, and reads the bucket, for so long at most. What
    /// it holds is what the gateway starts with, if it can be used.
    ///
    /// # Errors
    /// Where the documents name servers or credentials that cannot be used.
    pub(super) async fn begin(start: &mut Start) -> io::Result<Option<Self>> {
        let Some(login) = login(start)? else {
            start.in_force.took(&start.origin);
            return Ok(None);
        };
        let connection = Connection::open(&login, fleet::names(&start.documents)).await?;
        let (heard, news) = mpsc::channel(HEARD);
        tokio::spawn(sluice_bucket::watch(connection.clone(), heard));
        let mut control = Self {
            connection,
            revocations: Revocations::default(),
            news,
            first: None,
        };
        if timeout(FIRST, control.read()).await.is_err() {
            tracing::warn!(
                "NATS has not answered yet; the gateway starts by its own files, and without what was revoked before"
            );
        }
        start.in_force.took(&start.origin);
        if let Some(first) = &control.first {
            begin_with(first, start);
        }
        Ok(Some(control))
    }

    /// The connection, and what was revoked before the gateway took anybody in.
    pub(super) fn heard(&mut self) -> (Connection, Revocations) {
        let revocations = std::mem::take(&mut self.revocations);
        (self.connection.clone(), revocations)
    }

    /// Reads what the bucket holds.
    async fn read(&mut self) {
        while let Some(news) = self.news.recv().await {
            match news {
                News::Policy(pushed) => self.first = Some(pushed),
                News::Revoked(revocation) => {
                    insert(&mut self.revocations, revocation);
                }
                News::Current => return,
            }
        }
    }

    /// Hears and answers from now on.
    pub(super) fn go_on(self, shared: Arc<Shared>, api: Api, name: &str) -> (Heard, Subjects) {
        let (policy, pushed) = watch::channel(None);
        let (connection, name) = (self.connection.clone(), name.to_owned());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            requests::answer(connection, Caller::new(api), &name, stopped).await;
        });
        tokio::spawn(hear(self.news, shared, policy));
        let heard = Heard {
            last: self.first.as_ref().map(pushed::origin),
            pushed,
        };
        (heard, Subjects { stop, task })
    }
}

/// The server API by subject.
pub(crate) struct Subjects {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Subjects {
    /// Takes no more requests, and waits for the last answers.
    pub(super) async fn end(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// The documents of the bucket.
pub(super) struct Heard {
    /// Those that were taken up last.
    last: Option<Origin>,
    pushed: watch::Receiver<Option<Pushed>>,
}

impl Heard {
    /// Whether the bucket has held any: they count from then on, and the gateway's own files do
    /// not.
    pub(super) fn rules(&self) -> bool {
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
    let (given, mounted) = (start.setup.nats.as_deref(), start.setup.secrets.as_deref());
    let login = fleet::nats_login(&start.documents, given, mounted, None)?;
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
        Err(problems) => reload::refuse(&start.in_force, first.revision, &problems),
    }
}

async fn hear(
    mut news: mpsc::Receiver<News>,
    shared: Arc<Shared>,
    policy: watch::Sender<Option<Pushed>>,
) {
    while let Some(news) = news.recv().await {
        match news {
            News::Policy(pushed) => drop(policy.send_replace(Some(pushed))),
            News::Revoked(revocation) => revoked(&shared, revocation),
            News::Current => {}
        }
    }
}

/// Refuses from now on what is revoked, and disconnects those whom this gateway has: it may have
/// missed the command to do so.
fn revoked(shared: &Shared, revocation: Revocation) {
    let command = command(&revocation);
    let mut revocations = shared
        .revocations
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    let is_new = insert(&mut revocations, revocation);
    drop(revocations);
    let Some(command) = command.filter(|_| is_new) else {
        return;
    };
    let command = Arc::new(command);
    let gather = Gather::then(|_| {});
    shared
        .post
        .send_all(|| Mail::Delivery(Delivery::Command(Arc::clone(&command), gather.clone())));
}

/// Whether that changes anything.
fn insert(revocations: &mut Revocations, revocation: Revocation) -> bool {
    revocations
        .revoke(revocation, unix_now())
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a revocation is not in force at this gateway");
            false
        })
}

fn command(revocation: &Revocation) -> Option<Command> {
    Some(match revocation {
        Revocation::Token { id, .. } => Command::Revoke(Target::Token(Arc::clone(id)), None),
        Revocation::User { id, issued, .. } => {
            Command::Revoke(Target::User(Arc::clone(id)), Some(*issued))
        }
        Revocation::Session { id, .. } => {
            Command::Revoke(Target::Session(SessionId::parse(id)?), None)
        }
    })
}
