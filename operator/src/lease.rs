//! Leader election by a Lease: of several operators, one works.
//!
//! Times are measured by this process's own clock: a Lease counts as expired when it has not
//! changed for as long as it lasts, so that clocks that differ do no harm.

mod election;

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use thiserror::Error;
use tokio::time::{sleep, timeout};

use self::election::{Election, Move};

/// How long a Lease lasts without being renewed.
const LASTS: Duration = Duration::from_secs(15);

/// How long a leader may fail to renew it before it stops: so much earlier than others begin.
const GIVES_UP: Duration = Duration::from_secs(10);

/// How often it is looked at.
const LOOKS: Duration = Duration::from_secs(2);

/// Why a process leads no more.
#[derive(Debug, Error)]
pub enum Lost {
    /// Another process leads.
    #[error("another process leads; this one ends, and is started again")]
    Taken,
    /// It could not be renewed.
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
}

impl Candidate {
    /// A candidate of that identity, which no other process has.
    pub fn new(client: &Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
            election: Election::new(identity, LASTS),
        }
    }

    /// Waits until this process leads.
    pub async fn lead(&mut self) {
        loop {
            match self.look().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the Lease cannot be read or written; it is tried again");
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
            sleep(LOOKS).await;
            match timeout(GIVES_UP / 2, self.look()).await {
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

    /// Lets others lead at once.
    pub async fn release(mut self) {
        let lease = self.api.get_opt(&self.name).await;
        if let Ok(Some(lease)) = lease
            && let Some(lease) = self.election.released(lease)
            && let Err(error) = self
                .api
                .replace(&self.name, &PostParams::default(), &lease)
                .await
        {
            tracing::warn!(%error, "the Lease cannot be released; others wait until it expires");
        }
    }

    /// Does what is to be done; says whether this process leads.
    async fn look(&mut self) -> Result<bool, kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        let now = jiff::Timestamp::now();
        let written = match self.election.look(lease, &self.name, Instant::now(), now) {
            Move::Wait => return Ok(false),
            Move::Create(lease) => self.api.create(&PostParams::default(), &lease).await,
            Move::Replace(lease) => {
                self.api
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await
            }
        };
        match written {
            Ok(_) => Ok(true),
            // Somebody was faster. Who leads looks again, and finds out.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(self.election.leads()),
            Err(error) => Err(error),
        }
    }
}
