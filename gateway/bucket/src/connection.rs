//! The connection.

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event, ServerAddr, connection::State};
use percent_encoding::percent_decode_str;
use sluice_contract::{Names, Role};
use sluice_nats::link::{Auth, Logins};
use sluice_util::Backoff;
use tokio::sync::watch;

use crate::{
    link::Link,
    login::{Attempts, renew},
};

/// How long a server may take to connect and greet.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a server is asked whether it is there; after three times as long it counts as lost.
const PING: Duration = Duration::from_secs(2);
/// How long an answer of JetStream may take.
const ANSWER: Duration = Duration::from_secs(2);
/// The pauses between two tries to connect.
const BACKOFF: Backoff =
    Backoff::linear(Duration::from_millis(100), Duration::from_secs(2)).spread(0.5, 1.0);
/// How many messages of a subject may wait to be read; more are dropped.
const WAITING: usize = 4_096;

/// Where NATS is, and what lets a gateway in.
#[derive(Clone)]
pub struct Login {
    /// The servers' URLs, separated by commas.
    pub urls: String,
    /// What lets it in. Where servers refuse that, or it is nothing, a user in the URLs does.
    pub logins: Logins,
    /// A folder with `ca.crt`, `tls.crt` and `tls.key`, each of which may be missing; what is there
    /// is read anew for each connection.
    pub certificates: Option<PathBuf>,
    /// What the servers show for this client.
    pub name: String,
    /// Whose login it is: answers come to the inbox of this role.
    pub role: Role<'static>,
}

/// Shows neither credentials nor what a URL may hold of them.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A connection for what is not hot. Clones are the same one.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    names: Arc<Names>,
    link: watch::Receiver<Link>,
    /// Tells by its end that nobody uses the connection any more.
    _used: Arc<watch::Sender<()>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects in the background, on the runtime that it is called on, and tries again for
    /// ever. Does not wait for it. TLS trusts the system's certificates, or those that the
    /// variable `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// Where the URLs or the credentials cannot be used.
    pub async fn open(login: &Login, names: Names) -> io::Result<Self> {
        let urls = login
            .urls
            .split(',')
            .map(|url| ServerAddr::from_str(url.trim()));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        let (heard, link) = watch::channel(Link::default());
        let heard = Arc::new(heard);
        let attempts = Arc::new(Attempts::new(&login.logins, urls.iter().find_map(who)));
        let (trying, done) = (Arc::clone(&attempts), Arc::clone(&attempts));
        let options = ConnectOptions::with_auth_callback(move |nonce| {
            let proof = trying.next(&nonce);
            async move { proof }
        })
        .name(&login.name)
        .retry_on_initial_connect()
        .connection_timeout(CONNECT)
        .ping_interval(PING)
        .request_timeout(Some(ANSWER))
        .subscription_capacity(WAITING)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            let heard = Arc::clone(&heard);
            if matches!(event, Event::Connected) {
                done.connected();
            }
            async move { note(&event, &heard) }
        });
        let options = match &login.certificates {
            Some(folder) => certified(options, folder),
            None => options,
        };
        let options = match names.inbox(login.role) {
            Some(inbox) => options.custom_inbox_prefix(inbox),
            None => options,
        };
        let client = options.connect(urls).await.map_err(io::Error::other)?;
        let (used, unused) = watch::channel(());
        tokio::spawn(renew(client.clone(), attempts, link.clone(), unused));
        Ok(Self {
            client,
            names: Arc::new(names),
            link,
            _used: Arc::new(used),
        })
    }

    /// The client, for whoever else needs one.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it is connected, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The most bytes of a message that the servers take; `None` before the first connection.
    pub fn max_payload(&self) -> Option<usize> {
        let taken = self.client.server_info().max_payload;
        (taken > 0).then_some(taken)
    }

    /// Waits until it is connected.
    pub async fn connected(&self) {
        let _ = self.link.clone().wait_for(|link| link.up).await;
    }

    /// What the cluster's subjects, streams and buckets are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Waits until it is another connection than now, or none.
    pub(crate) fn lost(&self) -> impl Future<Output = ()> + use<> {
        let mut link = self.link.clone();
        let Link { times, .. } = *link.borrow();
        async move {
            let _ = link.wait_for(|link| !link.up || link.times != times).await;
        }
    }
}

/// With the certificates that are in a folder.
fn certified(mut options: ConnectOptions, folder: &Path) -> ConnectOptions {
    let file = |name| Some(folder.join(name)).filter(|file| file.exists());
    if let Some(authority) = file("ca.crt") {
        options = options.add_root_certificates(authority);
    }
    if let (Some(certificate), Some(key)) = (file("tls.crt"), file("tls.key")) {
        options = options.add_client_certificate(certificate, key);
    }
    options
}

/// The user and password in a URL, or a token where there is no password.
fn who(url: &ServerAddr) -> Option<Auth> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username()?);
    Some(match url.password().map(decoded) {
        Some(password) => Auth::UserPassword { user, password },
        None => Auth::Token(user),
    })
}

/// The pause before the try of this number, counted from 1.
fn pause(tries: usize) -> Duration {
    let failures = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    BACKOFF.delay(failures, rand::random())
}

fn note(event: &Event, heard: &watch::Sender<Link>) {
    match event {
        Event::Connected => {
            tracing::info!("connected to NATS for policy, revocations and backends");
            heard.send_modify(|link| {
                link.up = true;
                link.times += 1;
            });
        }
        Event::Disconnected => {
            heard.send_modify(|link| link.up = false);
            tracing::warn!("NATS is away; what is in force stays so, and revocations are not kept");
        }
        Event::ServerError(error) => tracing::warn!(%error, "NATS refuses something"),
        Event::SlowConsumer(_) => {
            tracing::warn!(
                "requests came by subject faster than they are worked on; some were dropped"
            );
        }
        other => tracing::debug!(event = %other, "the connection to NATS"),
    }
}
