//! The end of connections, spread out so that many at once do not hold up those that go on.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use crate::worker::Worker;

/// How long endings go on before others run. What a connection leaves behind in rooms, counts and
/// the kernel costs some ten microseconds: a few dozen go at a time.
const SLICE: Duration = Duration::from_micros(500);

/// What is left to do for a connection that has ended.
pub(crate) type Ending = Box<dyn FnOnce()>;

/// Endings that wait for their turn.
#[derive(Default)]
pub(crate) struct Endings {
    queue: RefCell<VecDeque<Ending>>,
    reaper: RefCell<Option<Waker>>,
}

impl Endings {
    pub(crate) fn push(&self, ending: Ending) {
        self.queue.borrow_mut().push_back(ending);
        if let Some(reaper) = self.reaper.borrow_mut().take() {
            reaper.wake();
        }
    }

    async fn some(&self) {
        poll_fn(|cx| {
            if self.queue.borrow().is_empty() {
                *self.reaper.borrow_mut() = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Runs endings for a slice of time.
    fn slice(&self) {
        let started = Instant::now();
        while started.elapsed() < SLICE {
            let next = self.queue.borrow_mut().pop_front();
            let Some(ending) = next else {
                // A queue that was long once must not hold its memory for ever.
                return self.queue.borrow_mut().shrink_to(64);
            };
            ending();
        }
    }
}

/// Runs on each worker for its life.
pub(crate) async fn run(worker: Rc<Worker>) {
    loop {
        worker.endings().some().await;
        worker.endings().slice();
        tokio::task::yield_now().await;
    }
}
