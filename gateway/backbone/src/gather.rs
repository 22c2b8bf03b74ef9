//! Answers of many.

use std::sync::{Arc, Mutex};

use sluice_util::lock;
use tokio::sync::oneshot;

type Then<T> = Box<dyn FnOnce(Vec<T>) + Send>;

struct Shared<T> {
    parts: Mutex<Vec<T>>,
    then: Mutex<Option<Then<T>>>,
}

/// Collects what its clones are given and reports when the last of them is gone.
pub struct Gather<T>(Arc<Shared<T>>);

impl<T> Clone for Gather<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gather")
    }
}

impl<T: Send + 'static> Gather<T> {
    /// A gathering, and where its result arrives.
    pub fn new() -> (Self, oneshot::Receiver<Vec<T>>) {
        let (sender, receiver) = oneshot::channel();
        let gather = Self::then(move |parts| {
            // Whoever asked may have stopped waiting.
            let _ = sender.send(parts);
        });
        (gather, receiver)
    }
}

impl<T> Gather<T> {
    /// A gathering whose result goes to `then`, on the thread that drops the last clone.
    pub fn then(then: impl FnOnce(Vec<T>) + Send + 'static) -> Self {
        Self(Arc::new(Shared {
            parts: Mutex::default(),
            then: Mutex::new(Some(Box::new(then))),
        }))
    }

    /// Adds a part.
    pub fn add(&self, part: T) {
        lock(&self.0.parts).push(part);
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let parts = std::mem::take(&mut *lock(&self.parts));
        let then = lock(&self.then).take();
        if let Some(then) = then {
            then(parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_arrive_when_the_last_clone_is_gone() {
        let (gather, mut result) = Gather::new();
        let other = gather.clone();
        gather.add(1);
        drop(gather);
        assert!(result.try_recv().is_err());
        other.add(2);
        drop(other);
        assert_eq!(result.try_recv().unwrap(), [1, 2]);
    }
}
