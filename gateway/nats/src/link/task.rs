//! The task of a link: connects, holds the connection while it lasts, and connects again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_util::Retries;
use tokio::sync::watch;

use super::{
    Handler, Outbox,
    connect::connect,
    connection::{Connection, Ended},
    dial::{Dialer, Established},
    servers::Servers,
    shared::Shared,
};
use crate::BACKOFF;

/// A connection that lasted so long was a good one: after it the next try is soon.
const LASTING: Duration = Duration::from_secs(5);

/// Holds the connection of a [`super::Link`]. Where it is dropped, the link never connects again.
#[derive(Debug)]
pub struct LinkTask {
    shared: Arc<Shared>,
    dialer: Dialer,
    servers: Servers,
    retries: Retries,
    /// Tells [`super::Link::close`] by its end that the link has ended.
    _running: watch::Sender<()>,
}

impl LinkTask {
    pub(super) fn new(
        shared: Arc<Shared>,
        dialer: Dialer,
        servers: Servers,
        running: watch::Sender<()>,
    ) -> Self {
        Self {
            shared,
            dialer,
            servers,
            retries: Retries::new(BACKOFF),
            _running: running,
        }
    }

    /// Connects, calls `handler`, and connects again, until the link is closed. Needs a tokio
    /// runtime with I/O and time.
    pub async fn run(mut self, mut handler: impl Handler) {
        let mut next = None;
        while let Some(established) = self.established(next.take()).await {
            let ended = self.hold(established, &mut handler).await;
            if ended.closed {
                return;
            }
            next = ended.next;
        }
    }

    /// The connection to hold next; `None` when the link is closed before there is one.
    async fn established(&mut self, next: Option<Established>) -> Option<Established> {
        if next.is_some() {
            return next;
        }
        tokio::select! {
            biased;
            () = self.shared.closing() => None,
            established = connect(&self.dialer, &self.servers, &mut self.retries) => Some(established),
        }
    }

    /// From the beginning of a connection to its end.
    async fn hold(&mut self, established: Established, handler: &mut impl Handler) -> Ended {
        let (info, url) = (established.info.clone(), established.url.clone());
        tracing::info!(server = %url, name = info.server_name, version = info.version, "connected to NATS");
        self.servers.connected(&url, &info);
        self.shared.change(|outbox| outbox.begin(&info));
        handler.connected(&info);
        let began = Instant::now();
        let connection = Connection::new(
            &self.shared,
            &self.dialer,
            &mut self.servers,
            handler,
            established,
        );
        let ended = connection.run().await;
        if ended.next.is_none() {
            self.shared.change(Outbox::end);
        }
        if ended.closed {
            tracing::info!(server = %url, "the connection to NATS is closed");
        } else {
            tracing::warn!(server = %url, why = ended.why, "the connection to NATS is lost");
        }
        handler.disconnected(&ended.why);
        if began.elapsed() >= LASTING {
            self.retries.reset();
        } else {
            self.retries.failed();
        }
        ended
    }
}
