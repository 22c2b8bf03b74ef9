//! Keys that an identity provider publishes.

mod fetch;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use sluice_crds::cluster::Algorithm;
use sluice_util::Backoff;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::KeyError;
use super::key_set::KeySet;

/// Why the published keys could not be read. The last good ones stay in use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// The address is no `http` or `https` URL, or this machine trusts no certificates.
    #[error("`auth.jwt.jwksUri` cannot be asked: {0}")]
    Setup(String),
    /// There was no answer.
    #[error(
        "the key set could not be fetched: {0}; check that the gateway can reach `auth.jwt.jwksUri`"
    )]
    Unreachable(String),
    /// The answer was no success. Redirects are not followed.
    #[error(
        "the key set's server answered with status {0}: give the final address in `auth.jwt.jwksUri`"
    )]
    Status(u16),
    /// The answer is too large.
    #[error(
        "the key set is larger than 1 MiB: check that `auth.jwt.jwksUri` is the address of a key set"
    )]
    TooLarge,
    /// The answer has no keys in it.
    #[error("the answer of `auth.jwt.jwksUri` is of no use: {0}")]
    Keys(#[from] KeyError),
}

/// When published keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksTiming {
    /// How often they are read when nothing asks for it.
    pub period: Duration,
    /// The shortest time between two successful reads, however many unknown keys are named.
    pub at_least: Duration,
    /// How long one read may take.
    pub timeout: Duration,
    /// The first pause after a read that failed; it doubles with each further one up to a minute.
    pub retry: Duration,
}

impl Default for JwksTiming {
    fn default() -> Self {
        Self {
            period: Duration::from_mins(10),
            at_least: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            retry: Duration::from_secs(1),
        }
    }
}

/// The longest pause before keys that cannot be read are asked for again.
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// Keys that an identity provider publishes (RFC 7517), read again and again by a task of its
/// own. Whoever checks tokens sees the last good set without waiting.
pub struct Jwks {
    url: reqwest::Url,
    algorithms: Vec<Algorithm>,
    timing: JwksTiming,
    client: reqwest::Client,
    keys: ArcSwap<KeySet>,
    last_error: ArcSwapOption<JwksError>,
    failures: AtomicU64,
    is_started: AtomicBool,
    may_fetch: AtomicBool,
    wanted: Arc<Notify>,
    fetched: watch::Sender<u64>,
}

impl Jwks {
    /// Keys at `url`, for `algorithms`, or, when that is empty, for those that fit each key. No
    /// key is known until [`start`](Self::start) was called and the first read is over.
    pub fn new(
        url: &str,
        algorithms: Vec<Algorithm>,
        timing: JwksTiming,
    ) -> Result<Arc<Self>, JwksError> {
        let (url, client) = fetch::client(url, timing.timeout)?;
        Ok(Arc::new(Self {
            url,
            algorithms,
            timing,
            client,
            keys: ArcSwap::default(),
            last_error: ArcSwapOption::empty(),
            failures: AtomicU64::new(0),
            is_started: AtomicBool::new(false),
            may_fetch: AtomicBool::new(true),
            wanted: Arc::new(Notify::new()),
            fetched: watch::Sender::new(0),
        }))
    }

    /// Starts the task that reads the keys, on the runtime of the caller. It ends by itself when
    /// the last reference to these keys is gone. Any further call does nothing.
    pub fn start(self: &Arc<Self>) {
        if !self.is_started.swap(true, Ordering::Relaxed) {
            tokio::spawn(Self::run(Arc::downgrade(self), Arc::clone(&self.wanted)));
        }
    }

    /// Asks for the keys to be read, and waits until they were. It is `true` when a read ended
    /// since the call, well or not: then try the token once more. It is `false` at once when the
    /// last read is too young; the next one comes as soon as it may.
    pub async fn refresh(&self) -> bool {
        let mut fetched = self.fetched.subscribe();
        self.wanted.notify_one();
        if !self.can_read() {
            return false;
        }
        let longest = self.timing.timeout.saturating_mul(2);
        matches!(timeout(longest, fetched.changed()).await, Ok(Ok(())))
    }

    /// Whether keys can be the same as these: the same address and algorithms.
    pub fn is_for(&self, url: &str, algorithms: &[Algorithm]) -> bool {
        reqwest::Url::parse(url).is_ok_and(|url| url == self.url) && self.algorithms == algorithms
    }

    /// How many keys are known.
    pub fn key_count(&self) -> usize {
        self.keys.load().len()
    }

    /// How many reads have ended, well or not, and how many of them failed.
    pub fn reads(&self) -> (u64, u64) {
        (
            *self.fetched.borrow(),
            self.failures.load(Ordering::Relaxed),
        )
    }

    /// Why the last read failed, if it did.
    pub fn last_error(&self) -> Option<Arc<JwksError>> {
        self.last_error.load_full()
    }

    /// Whether the keys may be read now, or are being read.
    pub fn can_read(&self) -> bool {
        self.may_fetch.load(Ordering::Acquire)
    }

    pub(crate) fn keys(&self) -> Guard<Arc<KeySet>> {
        self.keys.load()
    }

    async fn run(jwks: Weak<Self>, wanted: Arc<Notify>) {
        let mut failed_in_a_row = 0;
        while let Some(this) = jwks.upgrade() {
            let timing = this.timing;
            let succeeded = this.read().await;
            drop(this);
            if succeeded {
                failed_in_a_row = 0;
                sleep(timing.at_least).await;
                let Some(this) = jwks.upgrade() else { return };
                this.may_fetch.store(true, Ordering::Release);
                drop(this);
                let rest = timing.period.saturating_sub(timing.at_least);
                let _ = timeout(rest, wanted.notified()).await;
            } else {
                let backoff = Backoff::doubling(timing.retry, LONGEST_RETRY);
                sleep(backoff.delay(failed_in_a_row, 1.0)).await;
                failed_in_a_row += 1;
            }
        }
    }

    /// The address as it may be logged: what is secret of one is in its login and its query.
    fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Only an address without a host can have no login.
        let _ = (url.set_username(""), url.set_password(None));
        url.into()
    }

    async fn read(&self) -> bool {
        self.may_fetch.store(true, Ordering::Release);
        let result = fetch::document(&self.client, &self.url)
            .await
            .and_then(|body| Ok(KeySet::from_jwks(&body, &self.algorithms)?));
        self.may_fetch.store(false, Ordering::Release);
        let succeeded = result.is_ok();
        match result {
            Ok(keys) => {
                tracing::debug!(url = %self.shown(), keys = keys.len(), "the published keys were read");
                self.keys.store(Arc::new(keys));
                self.last_error.store(None);
            }
            Err(error) => {
                tracing::warn!(url = %self.shown(), %error, keys = self.key_count(),
                    "the published keys could not be read; the last good ones stay in use");
                self.failures.fetch_add(1, Ordering::Relaxed);
                self.last_error.store(Some(Arc::new(error)));
            }
        }
        self.fetched.send_modify(|count| *count += 1);
        succeeded
    }
}

impl Drop for Jwks {
    fn drop(&mut self) {
        self.wanted.notify_one();
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwks")
            .field("url", &self.shown())
            .field("keys", &self.key_count())
            .finish_non_exhaustive()
    }
}
