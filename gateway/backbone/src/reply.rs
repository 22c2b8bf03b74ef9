//! Answers that mostly are there at once.

use std::{future::Future, pin::Pin};

use tokio::sync::oneshot;

use crate::Error;

/// A backbone's answer: now, without any allocation, or later.
pub enum Reply<T> {
    /// The answer is known already.
    Now(Result<T, Error>),
    /// The answer comes when others have given theirs.
    Later(Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>),
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
        })
    }
}

impl<T: Send + 'static> Reply<T> {
    /// The answer comes there. Where whoever would give it is gone, it is
    /// [`Error::Unavailable`].
    pub fn told(told: oneshot::Receiver<Result<T, Error>>) -> Self {
        Self::Later(Box::pin(async move {
            told.await.unwrap_or(Err(Error::Unavailable))
        }))
    }
}

impl<T> Reply<T> {
    /// Waits for the answer.
    pub async fn wait(self) -> Result<T, Error> {
        match self {
            Self::Now(result) => result,
            Self::Later(future) => future.await,
        }
    }
}

impl<T: 'static> Reply<T> {
    /// Calls `then` with the answer: before this returns if it is here, else on a task of the
    /// current worker.
    pub fn then(self, then: impl FnOnce(Result<T, Error>) + 'static) {
        match self {
            Self::Now(result) => then(result),
            Self::Later(future) => {
                tokio::task::spawn_local(async move { then(future.await) });
            }
        }
    }
}
