//! Sessions that are about to go on here: what they missed is being read.
//!
//! A client that does not wait for that comes again. Nobody has its session yet, so whoever claims
//! it has to wait for the earlier connection to be let in.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use rustc_hash::FxHashMap;
use sluice_rooms::SessionId;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct State {
    over: Notify,
    moved: Cell<bool>,
}

/// All sessions of a worker that are being resumed.
#[derive(Debug, Default)]
pub(super) struct Resuming(RefCell<FxHashMap<SessionId, Rc<State>>>);

impl Resuming {
    /// A session is about to go on, until what is returned is dropped.
    pub(super) fn begin(&self, id: SessionId) -> Pending<'_> {
        let state = Rc::default();
        self.0.borrow_mut().insert(id, Rc::clone(&state));
        Pending {
            all: self,
            id,
            state,
        }
    }

    pub(super) fn has(&self, id: SessionId) -> bool {
        self.0.borrow().contains_key(&id)
    }

    /// Waits until a session has gone on, if it is about to.
    pub(super) async fn over(&self, id: SessionId) {
        let state = self.0.borrow().get(&id).cloned();
        if let Some(state) = state {
            state.over.notified().await;
        }
    }

    /// Another gateway has taken a session over meanwhile.
    pub(super) fn moved(&self, id: SessionId) {
        if let Some(state) = self.0.borrow().get(&id) {
            state.moved.set(true);
        }
    }
}

/// One that is about to go on.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    all: &'a Resuming,
    id: SessionId,
    state: Rc<State>,
}

impl Pending<'_> {
    /// Whether another gateway has taken it over.
    pub(super) fn has_moved(&self) -> bool {
        self.state.moved.get()
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.all.0.borrow_mut().remove(&self.id);
        self.state.over.notify_waiters();
    }
}
