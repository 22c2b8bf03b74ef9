//! The end of a scheduler tick: every connection that is owed bytes is written to, once.

use std::{
    future::poll_fn,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use crate::worker::Worker;

/// How long a flush goes on before others run: bounded in time and not in deliveries, since a
/// bound in deliveries undoes what coalescing gains.
const SLICE: Duration = Duration::from_millis(1);

/// How many connections are flushed between two looks at the clock.
const CLOCK_EVERY: usize = 16;

/// Runs on each worker for its life.
///
/// The first connection that is owed bytes wakes this task, which puts it behind every task that
/// is ready by then; what those queue leaves in the same write.
pub(crate) async fn run(worker: Rc<Worker>) {
    loop {
        poll_fn(|cx| {
            if worker.owes(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        while !slice(&worker) {
            tokio::task::yield_now().await;
        }
        worker.flushed();
        // What comes now goes before what has waited for room, and waits for little of it.
        if let Some(connection) = worker.next_emptied() {
            connection.refill();
            tokio::task::yield_now().await;
        }
    }
}

/// Flushes until nothing is owed (true) or the slice is used up (false).
fn slice(worker: &Worker) -> bool {
    let started = Instant::now();
    loop {
        for _ in 0..CLOCK_EVERY {
            match worker.next_owed() {
                Some(connection) => connection.flush(),
                None => return true,
            }
        }
        if started.elapsed() > SLICE {
            return false;
        }
    }
}
