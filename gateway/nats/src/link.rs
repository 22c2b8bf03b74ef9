//! One connection to NATS, made for very many subscriptions: core NATS and nothing else.
//!
//! [`link`] gives a [`Link`], the handle with which any thread subscribes and publishes without
//! ever waiting, and a [`LinkTask`], which holds the connection and calls a [`Handler`]. All
//! that is asked of a link leaves in the order in which it was asked, subscriptions and messages
//! alike: when the answer to a message comes, the subscriptions before it are in force at the
//! server.

mod auth;
mod complaint;
mod connect;
mod connection;
mod dial;
mod options;
mod outbox;
pub mod protocol;
mod pulse;
mod quiet;
mod reader;
mod servers;
mod shared;
mod stats;
mod subjects;
mod task;
mod tls;
mod url;
mod writer;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

pub use self::{
    auth::{Auth, Credentials, CredentialsError, Logins, Proof, Renewal},
    options::Options,
    outbox::{MAX_WAITING, Refused},
    protocol::ServerInfo,
    stats::Stats,
    task::LinkTask,
    tls::CaError,
    url::{ServerUrl, UrlError},
};
use self::{dial::Dialer, outbox::Outbox, servers::Servers, shared::Shared};
use crate::Packet;

/// How long a link that ends waits for the server to take what was sent.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// No headers, for [`Link::publish`].
pub const NO_HEADERS: &[(&str, &str)] = &[];

/// What happens on a link. Called on the link's task, in order; it must not block.
pub trait Handler: Send + 'static {
    /// The link is connected, and all current subscriptions are on their way to the server:
    /// whatever is sent from here on comes behind them.
    fn connected(&mut self, server: &ServerInfo);

    /// The server says something else of itself than when the link was connected.
    fn server_changed(&mut self, _server: &ServerInfo) {}

    /// The server of the connection is about to end, and sends its clients away one after the
    /// other: others may have lost it, and this link not yet. It goes to another server as soon as
    /// one takes it.
    fn lame_duck(&mut self) {}

    /// The link is connected no more; `why` is for people. Of what was sent last nobody knows
    /// whether it arrived. The link connects again by itself.
    fn disconnected(&mut self, why: &str);

    /// A message of a subject that is subscribed to, or was a moment ago. Subscriptions that
    /// overlap each bring their own copy. Its parts are views of what was read together with
    /// many other messages: copy what is kept for long.
    fn message(&mut self, message: Packet);

    /// While this is true the link stops reading, and asks again every few milliseconds. What was
    /// read already (64 KiB at most, or one large message) still comes.
    fn is_full(&self) -> bool {
        false
    }
}

/// The handle of a link: any number of clones, on any thread. Nothing but [`Self::close`] waits.
#[derive(Debug, Clone)]
pub struct Link {
    shared: Arc<Shared>,
    ended: watch::Receiver<()>,
}

/// A link that is not connected yet: its [`LinkTask`] is to be run.
pub fn link(options: Options) -> Result<(Link, LinkTask), CaError> {
    let shared = Arc::new(Shared::default());
    let (running, ended) = watch::channel(());
    let servers = Servers::new(options.urls.clone());
    let dialer = Dialer::new(options)?;
    let task = LinkTask::new(Arc::clone(&shared), dialer, servers, running);
    Ok((Link { shared, ended }, task))
}

impl Link {
    /// Gets the messages of `subject` from now on, over every reconnect. Once is enough: a
    /// subject that is subscribed to stays so. One that cannot be written is ignored and logged.
    pub fn subscribe(&self, subject: &str) {
        if protocol::encode::is_subject(subject) {
            self.shared.change(|outbox| outbox.subscribe(subject));
        } else {
            tracing::error!(
                subject,
                "a subject that NATS cannot have is not subscribed to"
            );
        }
    }

    /// Gets them no more. Those that are on their way still come.
    pub fn unsubscribe(&self, subject: &str) {
        self.shared.change(|outbox| outbox.unsubscribe(subject));
    }

    /// Sends a message, without its coming back to this link. It may still be lost with the
    /// connection. Refused messages are counted.
    pub fn publish<N: AsRef<str>, V: AsRef<str>>(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: &[(N, V)],
        payload: &[u8],
    ) -> Result<(), Refused> {
        self.shared
            .change(|outbox| outbox.publish(subject, reply, headers, payload))
    }

    /// Whether there is a connection, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.shared.change(|outbox| outbox.is_connected())
    }

    /// What was counted so far, and what is held now.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Sends what was accepted so far, ends the link, and returns when the server has it all, or
    /// after two seconds. Nothing is accepted any more.
    pub async fn close(&self) {
        self.shared.close();
        let mut ended = self.ended.clone();
        // The task never sends: this ends with an error when the task is gone.
        let gone = async { while ended.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(CLOSE_WITHIN * 2, gone).await;
    }
}
