//! Ended sessions that wait to be told of.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use sluice_util::lock;
use tokio::sync::Notify;

use crate::Disconnected;

/// The most sessions in a batch.
const BATCH: usize = 500;

#[derive(Default)]
struct State {
    waiting: VecDeque<Disconnected>,
    /// How many were forgotten since the last batch.
    dropped: u64,
    sending: bool,
    closed: bool,
}

/// Ended sessions that wait to be told of; forgets the oldest when it is full.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// There is something to do, or there never will be again.
    more: Notify,
    /// There is nothing left to do.
    empty: Notify,
}

/// Sessions to tell of at once.
#[derive(Debug)]
pub(crate) struct Batch {
    /// At most 500.
    pub(crate) sessions: Vec<Disconnected>,
    /// How many were forgotten before them.
    pub(crate) dropped: u64,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Adds a session, and returns how many are forgotten so that no more than `bound` wait.
    pub(crate) fn push(&self, session: Disconnected, bound: usize) -> usize {
        let mut state = self.lock();
        state.waiting.push_back(session);
        let over = state.waiting.len().saturating_sub(bound);
        if over > 0 {
            state.waiting.drain(..over);
            state.dropped += over as u64;
        }
        drop(state);
        self.more.notify_one();
        over
    }

    /// The next batch, which is on its way until [`Self::done`]; nothing once the queue is
    /// closed.
    pub(crate) async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                if !state.waiting.is_empty() {
                    return Some(take(&mut state));
                }
            }
            self.more.notified().await;
        }
    }

    /// The last batch is settled.
    pub(crate) fn done(&self) {
        let mut state = self.lock();
        state.sending = false;
        if state.waiting.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Waits until nothing waits and nothing is on its way.
    pub(crate) async fn empty(&self) {
        loop {
            let empty = self.empty.notified();
            {
                let state = self.lock();
                if state.waiting.is_empty() && !state.sending {
                    return;
                }
            }
            empty.await;
        }
    }

    /// Says that nobody will be told of anything any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_one();
    }

    /// Whether [`Self::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

fn take(state: &mut State) -> Batch {
    let many = state.waiting.len().min(BATCH);
    state.sending = true;
    Batch {
        sessions: state.waiting.drain(..many).collect(),
        dropped: std::mem::take(&mut state.dropped),
    }
}
