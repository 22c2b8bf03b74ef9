//! Sessions that wait for their clients, by who answers for them.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
};

use sluice_rooms::SessionId;

use crate::holders::Holder;

/// The sessions of each holder that wait on this worker, in the order in which they came to.
#[derive(Debug, Default)]
pub(super) struct DetachedOf(RefCell<HashMap<Holder, VecDeque<SessionId>>>);

impl DetachedOf {
    /// One more waits. Returns the holder's oldest where that makes more than `most`.
    pub(super) fn add(&self, holder: Holder, id: SessionId, most: usize) -> Option<SessionId> {
        let mut all = self.0.borrow_mut();
        let waiting = all.entry(holder).or_default();
        waiting.push_back(id);
        (waiting.len() > most)
            .then(|| waiting.pop_front())
            .flatten()
    }

    /// One waits no longer.
    pub(super) fn remove(&self, holder: Holder, id: SessionId) {
        let mut all = self.0.borrow_mut();
        let Some(waiting) = all.get_mut(&holder) else {
            return;
        };
        if let Some(at) = waiting.iter().position(|waits| *waits == id) {
            waiting.remove(at);
        }
        if waiting.is_empty() {
            all.remove(&holder);
        }
    }
}
