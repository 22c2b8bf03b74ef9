//! The backend under one configuration.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Admission, Circuit, Config, Ticket, WebhookError};

/// A configuration with what is known of the backend. A request keeps the one that it began
/// with.
pub(crate) struct Target {
    pub(crate) config: Config,
    circuit: Arc<Mutex<Circuit>>,
    requests: Arc<Semaphore>,
}

impl Target {
    pub(crate) fn new(config: Config) -> Self {
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
    pub(crate) fn with(&self, config: Config) -> Self {
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
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more request, until the permit is dropped.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, WebhookError> {
        Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| WebhookError::Overloaded)
    }

    /// Asks whether a try may go out.
    pub(crate) fn admit(&self) -> Result<Ticket, WebhookError> {
        match self.lock().admit(Instant::now()) {
            Admission::Granted(ticket) => Ok(ticket),
            Admission::Refused => Err(WebhookError::CircuitOpen),
        }
    }

    /// Tells what became of a try. Returns whether the circuit is closed after it.
    pub(crate) fn settle(&self, ticket: Ticket, works: bool) -> bool {
        let (mut circuit, now) = (self.lock(), Instant::now());
        if works {
            circuit.succeeded(ticket, now);
        } else {
            circuit.failed(ticket, now);
        }
        circuit.is_closed()
    }
}
