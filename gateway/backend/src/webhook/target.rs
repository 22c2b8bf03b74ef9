//! The backend under one configuration.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use sluice_util::lock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Config,
    circuit::{Admission, Circuit, Ticket},
};
use crate::BackendError;

/// A configuration with what is known of the backend. A request keeps the one that it began
/// with.
pub(super) struct Target {
    pub(super) config: Config,
    circuit: Arc<Mutex<Circuit>>,
    requests: Arc<Semaphore>,
}

impl Target {
    pub(super) fn new(config: Config) -> Self {
        let circuit = Arc::new(Mutex::new(Circuit::new(config.circuit, Instant::now())));
        let requests = Arc::new(Semaphore::new(config.concurrency));
        Self {
            config,
            circuit,
            requests,
        }
    }

    /// The backend under another configuration. Only where it is another backend is what is
    /// known of it forgotten.
    pub(super) fn with(&self, config: Config) -> Self {
        let next = Self::new(config);
        if next.config.url != self.config.url {
            return next;
        }
        self.lock().set(next.config.circuit);
        let same_bound = next.config.concurrency == self.config.concurrency;
        let requests = if same_bound {
            Arc::clone(&self.requests)
        } else {
            next.requests
        };
        Self {
            config: next.config,
            circuit: Arc::clone(&self.circuit),
            requests,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        lock(&self.circuit)
    }

    /// Room for one more request, until the permit is dropped.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, BackendError> {
        Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| BackendError::Overloaded)
    }

    /// Asks whether a try may go out.
    pub(super) fn admit(&self) -> Result<Ticket, BackendError> {
        match self.lock().admit(Instant::now()) {
            Admission::Granted(ticket) => Ok(ticket),
            Admission::Refused => Err(BackendError::CircuitOpen),
        }
    }

    /// Tells what became of a try. Returns whether the circuit is closed after it.
    pub(super) fn settle(&self, ticket: Ticket, works: bool) -> bool {
        let (mut circuit, now) = (self.lock(), Instant::now());
        if works {
            circuit.succeeded(ticket, now);
        } else {
            circuit.failed(ticket, now);
        }
        circuit.is_closed()
    }
}
