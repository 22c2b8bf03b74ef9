//! What comes from instances, by worker.

use crate::{Arrival, Sockets};

/// What goes to each worker.
pub(crate) struct Sorted(Vec<Vec<Arrival>>);

impl Sorted {
    pub(crate) fn new(workers: usize) -> Self {
        Self(vec![Vec::new(); workers])
    }

    pub(crate) fn add(&mut self, worker: usize, arrival: impl FnOnce() -> Arrival) {
        // A handle that no worker gave is nobody's.
        if let Some(arrivals) = self.0.get_mut(worker) {
            arrivals.push(arrival());
        }
    }

    pub(crate) fn add_to_all(&mut self, arrival: &Arrival) {
        for arrivals in &mut self.0 {
            arrivals.push(arrival.clone());
        }
    }

    pub(crate) fn deliver(self, sockets: &dyn Sockets) {
        for (worker, arrivals) in self.0.into_iter().enumerate() {
            if !arrivals.is_empty() {
                sockets.deliver(worker, arrivals);
            }
        }
    }
}
