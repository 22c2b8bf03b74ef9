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

/// The bound on the bytes of messages that wait for a worker: a few messages can be large.
const MAX_BYTES: usize = 32 << 20;

struct Queue<M> {
    messages: VecDeque<M>,
    /// What the messages that wait take, as their senders said.
    bytes: usize,
    /// Whether the worker has taken messages that it may not have read yet.
    reading: bool,
}

impl<M> Queue<M> {
    fn is_full(&self) -> bool {
        self.messages.len() >= CAPACITY || self.bytes >= MAX_BYTES
    }
}

struct Shared<M> {
    queue: Mutex<Queue<M>>,
    waker: AtomicWaker,
}

impl<M> Shared<M> {
    fn lock(&self) -> MutexGuard<'_, Queue<M>> {
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

/// The inbox holds as much as it may; the message comes back.
#[derive(Debug)]
pub struct Full<M>(pub M);

/// An empty inbox. Messages of one sender arrive in the order it sent them, and messages sent
/// under one lock arrive at every inbox in the same order.
pub fn inbox<M>() -> (Sender<M>, Receiver<M>) {
    let shared = Arc::new(Shared {
        queue: Mutex::new(Queue {
            messages: VecDeque::new(),
            bytes: 0,
            reading: false,
        }),
        waker: AtomicWaker::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<M> Sender<M> {
    /// Leaves `message`, which takes so many `bytes`, for the worker, unless 65,536 messages or
    /// 32 MiB wait already.
    ///
    /// # Errors
    /// Where so much waits.
    pub fn send(&self, message: M, bytes: usize) -> Result<(), Full<M>> {
        let queue = self.0.lock();
        if queue.is_full() {
            return Err(Full(message));
        }
        self.push(queue, message, bytes);
        Ok(())
    }

    /// Leaves `message` whatever waits: for answers, control messages, and what its sender has
    /// found room for with [`Self::is_full`].
    pub fn send_always(&self, message: M, bytes: usize) {
        self.push(self.0.lock(), message, bytes);
    }

    /// Whether 65,536 messages or 32 MiB wait, so that no more are taken.
    pub fn is_full(&self) -> bool {
        self.0.lock().is_full()
    }

    /// Whether the worker has read all that was ever left for it.
    pub fn is_idle(&self) -> bool {
        let queue = self.0.lock();
        queue.messages.is_empty() && !queue.reading
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue<M>>, message: M, bytes: usize) {
        let first = queue.messages.is_empty();
        queue.messages.push_back(message);
        queue.bytes += bytes;
        drop(queue);
        if first {
            self.0.waker.wake();
        }
    }
}

impl<M> Receiver<M> {
    /// A sender to this inbox.
    pub fn sender(&self) -> Sender<M> {
        Sender(Arc::clone(&self.0))
    }

    /// Waits until there is something and moves all of it into `into`, which should be empty: what
    /// was received before counts as read from now on.
    pub async fn receive(&mut self, into: &mut VecDeque<M>) {
        poll_fn(|cx| self.poll_receive(cx, into)).await;
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, into: &mut VecDeque<M>) -> Poll<()> {
        self.0.waker.register(cx.waker());
        let mut queue = self.0.lock();
        queue.reading = !queue.messages.is_empty();
        if !queue.reading {
            return Poll::Pending;
        }
        std::mem::swap(&mut queue.messages, into);
        queue.bytes = 0;
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn receive(receiver: &mut Receiver<u8>) -> Option<usize> {
        let mut taken = VecDeque::new();
        let mut cx = Context::from_waker(Waker::noop());
        let ready = receiver.poll_receive(&mut cx, &mut taken).is_ready();
        ready.then_some(taken.len())
    }

    #[test]
    fn a_few_large_messages_fill_it_as_many_small_ones_do() {
        let (sender, mut receiver) = inbox();
        sender.send(1, MAX_BYTES - 1).unwrap();
        assert!(!sender.is_full());
        sender.send(2, 1).unwrap();
        assert!(sender.is_full() && sender.send(3, 0).is_err());
        assert_eq!(receive(&mut receiver), Some(2));
        assert!(!sender.is_full() && sender.send(3, 0).is_ok());
    }

    #[test]
    fn what_was_taken_is_not_read_before_more_is_asked_for() {
        let (sender, mut receiver) = inbox();
        assert!(sender.is_idle());
        sender.send_always(1, 1);
        assert!(!sender.is_idle());
        assert_eq!(receive(&mut receiver), Some(1));
        assert!(!sender.is_idle(), "it may be at any of them");
        assert_eq!(receive(&mut receiver), None);
        assert!(sender.is_idle());
    }
}
