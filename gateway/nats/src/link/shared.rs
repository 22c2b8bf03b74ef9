//! What the handles of a link and its task share.

use std::{
    future::poll_fn,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use sluice_util::lock;

use super::{Outbox, Stats};

#[derive(Debug, Default)]
pub(super) struct Shared {
    outbox: Mutex<Outbox>,
    task: AtomicWaker,
    pub(super) messages_in: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) errors: AtomicU64,
}

impl Shared {
    /// Changes the outbox, and wakes the link's task when that gives it something to write.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        // An outbox is whole between any two operations on it, so a poisoned lock is still usable.
        let mut outbox = lock(&self.outbox);
        let before = outbox.is_empty();
        let result = change(&mut outbox);
        let after = outbox.is_empty();
        drop(outbox);
        if before && !after {
            self.task.wake();
        }
        result
    }

    /// The task is woken when there is something to write again, or the link is to end.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.task.register(cx.waker());
    }

    pub(super) fn close(&self) {
        self.change(Outbox::close);
        self.task.wake();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.change(|outbox| outbox.is_closing())
    }

    /// Waits until the link is to end.
    pub(super) async fn closing(&self) {
        poll_fn(|cx| {
            self.register(cx);
            if self.is_closing() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            messages_in: self.messages_in.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            errors: self.errors.load(Relaxed),
            ..self.change(|outbox| outbox.stats())
        }
    }
}
