//! What crosses from one thread to a worker.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use sluice_util::lock;

/// The bound on messages that wait for a worker.
///
/// A worker takes everything that waits each time it runs, so this many waiting means that it is
/// far behind; a sender is then told, and can refuse in its turn.
const CAPACITY: usize = 65_536;

struct Shared<M> {
    queue: Mutex<VecDeque<M>>,
    waker: AtomicWaker,
}

impl<M> Shared<M> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<M>> {
        // A queue is whole between any two operations on it, so a poisoned lock is still usable.
        lock(&self.queue)
    }
}

/// The sending half: any number of clones, on any thread.
pub struct Sender<M>(Arc<Shared<M>>);

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> std::fmt::Debug for Sender<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// The receiving half, held by one worker.
pub struct Receiver<M>(Arc<Shared<M>>);

impl<M> std::fmt::Debug for Receiver<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The inbox holds 65,536 messages; the message comes back.
#[derive(Debug)]
pub struct Full<M>(pub M);

/// An empty inbox. Messages of one sender arrive in the order it sent them, and messages sent
/// under one lock arrive at every inbox in the same order.
pub fn inbox<M>() -> (Sender<M>, Receiver<M>) {
    let shared = Arc::new(Shared {
        queue: Mutex::default(),
        waker: AtomicWaker::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<M> Sender<M> {
    /// Leaves `message` for the worker, unless 65,536 messages wait already.
    pub fn send(&self, message: M) -> Result<(), Full<M>> {
        let queue = self.0.lock();
        if queue.len() >= CAPACITY {
            return Err(Full(message));
        }
        self.push(queue, message);
        Ok(())
    }

    /// Leaves `message` whatever waits: for answers and control messages, which something else
    /// bounds.
    pub fn send_always(&self, message: M) {
        self.push(self.0.lock(), message);
    }

    /// Whether 65,536 messages wait, so that no more are taken.
    pub fn is_full(&self) -> bool {
        self.0.lock().len() >= CAPACITY
    }

    fn push(&self, mut queue: MutexGuard<'_, VecDeque<M>>, message: M) {
        let first = queue.is_empty();
        queue.push_back(message);
        drop(queue);
        if first {
            self.0.waker.wake();
        }
    }
}

impl<M> Receiver<M> {
    /// Waits until there is something and moves all of it into `into`, which should be empty.
    pub async fn receive(&mut self, into: &mut VecDeque<M>) {
        poll_fn(|cx| self.poll_receive(cx, into)).await;
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, into: &mut VecDeque<M>) -> Poll<()> {
        self.0.waker.register(cx.waker());
        let mut queue = self.0.lock();
        if queue.is_empty() {
            return Poll::Pending;
        }
        std::mem::swap(&mut *queue, into);
        Poll::Ready(())
    }
}
