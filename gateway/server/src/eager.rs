//! Futures that mostly are ready at once.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// Polls `work` once here and now; if it is not ready then, the rest of it runs on a task of the
/// current worker. Either way `then` gets the result.
pub(crate) fn run<T: 'static>(
    work: impl Future<Output = T> + 'static,
    then: impl FnOnce(T) + 'static,
) {
    match poll_once(work) {
        Ok(result) => then(result),
        Err(rest) => {
            tokio::task::spawn_local(async move { then(rest.await) });
        }
    }
}

/// The result of a future that is ready at once, else the future, polled once.
pub(crate) fn poll_once<T, F>(work: F) -> Result<T, Pin<Box<dyn Future<Output = T>>>>
where
    F: Future<Output = T> + 'static,
{
    let mut work = Box::pin(work);
    // The task that takes over polls again, so a wake in between is not lost.
    let mut cx = Context::from_waker(Waker::noop());
    match work.as_mut().poll(&mut cx) {
        Poll::Ready(result) => Ok(result),
        Poll::Pending => Err(work),
    }
}
