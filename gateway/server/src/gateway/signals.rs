//! The signals that ask the process to end.

use std::{io, sync::Arc};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::drain::Drainer;

/// SIGTERM and SIGINT, which mean the same.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// # Errors
    /// Where the system does not let them be caught.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the end of a drain, which a signal or the server API begins. False where a second
    /// signal wants the end at once.
    pub(super) async fn drained(&mut self, drainer: &Arc<Drainer>) -> bool {
        tokio::select! {
            () = self.next() => drainer.terminate(),
            () = drainer.released() => return true,
        }
        tracing::info!("the gateway drains before it ends; a second signal ends it at once");
        tokio::select! {
            () = self.next() => {
                tracing::warn!("the gateway ends at once, as asked; connections are cut");
                false
            }
            () = drainer.released() => true,
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
