//! What the client of the NATS servers proves itself with, from one connection to the next.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use async_nats::{AuthError, Client};
use sluice_nats::link::{Auth, Logins, Renewal};
use sluice_util::lock;
use tokio::{sync::watch, time::sleep};

use crate::link::Link;

/// The tries to connect since the last connection: each with the next login that there is.
#[derive(Debug)]
pub(crate) struct Attempts {
    logins: Logins,
    failed: AtomicUsize,
    /// When what was shown last expires.
    expires: Mutex<Option<u64>>,
}

impl Attempts {
    /// What a URL names comes after all others.
    pub(crate) fn new(logins: &Logins, url: Option<Auth>) -> Self {
        let logins = logins.clone();
        Self {
            logins: Logins::new(move || {
                let mut all = logins.read()?;
                if let Some(url) = &url {
                    all.retain(|auth| !matches!(auth, Auth::None));
                    all.push(url.clone());
                }
                Ok(all)
            }),
            failed: AtomicUsize::new(0),
            expires: Mutex::new(None),
        }
    }

    /// What the server that asks with `nonce` is shown.
    pub(crate) fn next(&self, nonce: &[u8]) -> Result<async_nats::Auth, AuthError> {
        let all = self.logins.read().map_err(AuthError::new)?;
        let turn = self.failed.fetch_add(1, Relaxed);
        let auth = all.get(turn % all.len().max(1));
        let auth = auth.ok_or_else(|| AuthError::new("there is no login"))?;
        *lock(&self.expires) = auth.expires();
        let proof = auth.prove(nonce).map_err(AuthError::new)?;
        let mut shown = async_nats::Auth::new();
        (shown.username, shown.password) = (proof.user, proof.password);
        (shown.jwt, shown.nkey) = (proof.jwt, proof.nkey);
        (shown.token, shown.signature) = (proof.token, proof.signature);
        Ok(shown)
    }

    /// The last try succeeded; the next one is with the first login again.
    pub(crate) fn connected(&self) {
        self.failed.store(0, Relaxed);
    }

    fn renewal(&self) -> Option<Renewal> {
        let expires = (*lock(&self.expires))?;
        Some(Renewal::new(self.logins.clone(), expires))
    }
}

/// Connects anew with a login that lasts longer before the present one expires, for as long as the
/// connection is `used`.
pub(crate) async fn renew(
    client: Client,
    attempts: Arc<Attempts>,
    mut link: watch::Receiver<Link>,
    mut used: watch::Receiver<()>,
) {
    let renewing = async {
        while let Ok(now) = link.wait_for(|link| link.up).await.map(|link| link.times) {
            let renewed = tokio::select! {
                () = in_time(attempts.renewal()) => true,
                _ = link.wait_for(|link| !link.up || link.times != now) => false,
            };
            if !renewed {
                continue;
            }
            tracing::info!("there is a login for NATS that lasts longer; it is used");
            if client.force_reconnect().await.is_err() {
                return;
            }
            let _ = link.wait_for(|link| link.times != now).await;
        }
    };
    tokio::select! {
        () = renewing => {}
        // Nothing is ever sent: it ends when nobody is left.
        _ = used.changed() => {}
    }
}

/// Waits until there is a login that lasts longer; for ever where the present one does not expire.
async fn in_time(renewal: Option<Renewal>) {
    let Some(renewal) = renewal else {
        return std::future::pending().await;
    };
    sleep(renewal.first()).await;
    while !renewal.is_there() {
        sleep(renewal.every()).await;
    }
}
