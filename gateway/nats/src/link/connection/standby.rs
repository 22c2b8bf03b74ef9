//! Another connection, made before a server that says it will end does so.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use sluice_util::Retries;

use crate::{
    BACKOFF,
    link::{
        connect::connect,
        dial::{Dialer, Established},
        servers::Servers,
    },
};

type Connecting<'a> = Pin<Box<dyn Future<Output = Established> + Send + 'a>>;

/// The connection that is to take the place of the present one.
pub(super) struct Standby<'a> {
    dialer: &'a Dialer,
    connecting: Option<Connecting<'a>>,
    established: Option<Established>,
}

impl<'a> Standby<'a> {
    pub(super) fn new(dialer: &'a Dialer) -> Self {
        Self {
            dialer,
            connecting: None,
            established: None,
        }
    }

    /// Begins to connect to any server that takes connections, which the present one does no more.
    pub(super) fn start(&mut self, servers: &Servers) {
        if self.connecting.is_some() || self.established.is_some() {
            return;
        }
        let (dialer, servers) = (self.dialer, servers.clone());
        self.connecting = Some(Box::pin(async move {
            connect(dialer, &servers, &mut Retries::new(BACKOFF)).await
        }));
    }

    /// Ready when there is a connection.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(connecting) = &mut self.connecting {
            self.established = Some(std::task::ready!(connecting.as_mut().poll(cx)));
            self.connecting = None;
        }
        if self.established.is_some() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    pub(super) fn take(&mut self) -> Option<Established> {
        self.established.take()
    }
}
