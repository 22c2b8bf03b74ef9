//! Leader election by a Lease: of several operators, one works.
//!
//! Times are measured by this process's own clock: a Lease counts as expired when it has not
//! changed for as long as it lasts, so that clocks that differ do no harm.
//!
//! Who ends gives the Lease back. A write of it that is under way then may still reach the API
//! server, so that is waited for, and whatever changed meanwhile is read again.

mod election;

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use thiserror::Error;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use self::election::{Election, Move};

/// How long a Lease lasts without being renewed. Where a leader's node dies with gateways on it,
/// their clients notice after `heartbeat.timeout` at the soonest, 20 seconds unless told otherwise;
/// by then another one is to lead and to have taken these gateways from the Service.
const LASTS: Duration = Duration::from_secs(8);

/// How long a leader may fail to renew it before it stops: so much earlier than others begin.
const GIVES_UP: Duration = Duration::from_secs(6);

/// How often who leads renews it.
const RENEWS: Duration = Duration::from_secs(2);

/// How often who waits looks at it: so soon another one follows.
const LOOKS: Duration = Duration::from_secs(1);

/// How long a look at it may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a process that ends tries to give it back.
const RELEASES: Duration = Duration::from_secs(5);

/// How soon that is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// Why a process leads no more.
#[derive(Debug, Error)]
pub enum Lost {
    /// Another process leads.
    #[error("another process leads; this one ends, and is started again")]
    Taken,
    /// The Lease could not be renewed.
    #[error(
        "the Lease could not be renewed for {seconds} seconds ({why}); the process ends, and is started again"
    )]
    Unrenewed {
        /// How long it was tried.
        seconds: u64,
        /// What was in the way.
        why: String,
    },
}

/// A candidate for the lead.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    election: Election,
    /// A write that may still reach the API server, whether anybody waits for it or not.
    writing: Option<JoinHandle<Result<Lease, kube::Error>>>,
}

impl Candidate {
    /// A candidate of that identity, which no other process has.
    pub fn new(client: &Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
            election: Election::new(identity, LASTS),
            writing: None,
        }
    }

    /// Waits until this process leads.
    pub async fn lead(&mut self) {
        loop {
            match timeout(PATIENCE, self.look()).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the Lease cannot be read or written; it is tried again");
                }
                Err(_) => {
                    tracing::warn!(
                        "the API server does not answer about the Lease; it is tried again"
                    );
                }
            }
            sleep(LOOKS.mul_f64(rand::random_range(0.8..1.2))).await;
        }
    }

    /// Renews the Lease until that fails, and says why.
    pub async fn keep(&mut self) -> Lost {
        let mut renewed = Instant::now();
        let mut error = String::from("no answer");
        loop {
            sleep(RENEWS).await;
            let left = GIVES_UP.saturating_sub(renewed.elapsed());
            match timeout(PATIENCE.min(left), self.look()).await {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => return Lost::Taken,
                Ok(Err(why)) => error = why.to_string(),
                Err(_) => {}
            }
            if renewed.elapsed() >= GIVES_UP {
                let seconds = GIVES_UP.as_secs();
                return Lost::Unrenewed {
                    seconds,
                    why: error,
                };
            }
        }
    }

    /// Lets others lead at once, if this process leads or is about to. It is to be called when its
    /// work has ended, and takes five seconds at most.
    pub async fn release(mut self) {
        if timeout(RELEASES, self.let_go()).await.is_err() {
            tracing::warn!("the Lease cannot be released; others wait until it expires");
        }
    }

    async fn let_go(&mut self) {
        if let Some(writing) = self.writing.take() {
            // What came of it is seen in the Lease.
            let _ = writing.await;
        }
        while let Err(error) = self.give_back().await {
            tracing::debug!(%error, "the Lease is not released yet; it is tried again");
            sleep(AGAIN).await;
        }
    }

    async fn give_back(&mut self) -> Result<(), kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        match lease.and_then(|lease| self.election.released(lease)) {
            Some(lease) => self.write(Move::Replace(lease)).await,
            None => Ok(()),
        }
    }

    /// Does what is to be done; says whether this process leads.
    async fn look(&mut self) -> Result<bool, kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        let now = jiff::Timestamp::now();
        let decided = self.election.look(lease, &self.name, Instant::now(), now);
        if decided == Move::Wait {
            return Ok(false);
        }
        match self.write(decided).await {
            Ok(()) => Ok(true),
            // Somebody was faster. Who leads looks again, and finds out.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(self.election.leads()),
            Err(error) => Err(error),
        }
    }

    /// Writes to its end, also when nobody waits for that any more: what was sent is not called
    /// back by forgetting it.
    async fn write(&mut self, decided: Move) -> Result<(), kube::Error> {
        let (api, name) = (self.api.clone(), self.name.clone());
        let writing = tokio::spawn(async move {
            let params = PostParams::default();
            match decided {
                Move::Wait => api.get(&name).await,
                Move::Create(lease) => api.create(&params, &lease).await,
                Move::Replace(lease) => api.replace(&name, &params, &lease).await,
            }
        });
        let written = self.writing.insert(writing).await;
        self.writing = None;
        match written {
            Ok(written) => written.map(drop),
            Err(error) => Err(kube::Error::Service(Box::new(error))),
        }
    }
}
