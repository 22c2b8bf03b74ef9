//! Answers that come later.

use sluice_backbone::{Error, Reply};
use tokio::sync::oneshot;

/// An answer that comes later.
pub(crate) fn later<T: Send + 'static>(told: oneshot::Receiver<Result<T, Error>>) -> Reply<T> {
    Reply::Later(Box::pin(async move {
        // A core that is gone tells nothing.
        told.await.unwrap_or(Err(Error::Unavailable))
    }))
}
