//! Locks that a panic does not close.
//!
//! The standard library's locks refuse everybody once a thread has panicked while it had one, as what
//! they guard may be half changed. Here they are taken as they are: a panic ends the released
//! programs, so that nobody is left who could see what it broke, and a test or a task that outlives
//! one is to fail by what it looks at and not by a second panic.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks it, even where somebody panicked while they had it.
///
/// ```
/// use std::sync::Mutex;
/// use sluice_util::lock;
///
/// let count = Mutex::new(1);
/// *lock(&count) += 1;
/// assert_eq!(*lock(&count), 2);
/// ```
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks it for reading, as [`lock`] does.
pub fn read<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks it for writing, as [`lock`] does.
pub fn write<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_lock_that_somebody_panicked_with_is_taken_as_it_is() {
        let (mutex, rwlock) = (Mutex::new(1), RwLock::new(1));
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                let (mut guard, mut written) = (lock(&mutex), write(&rwlock));
                (*guard, *written) = (2, 3);
                panic!("with both locks");
            });
            assert!(panics.join().is_err());
        });
        assert!(mutex.is_poisoned() && rwlock.is_poisoned());
        assert_eq!((*lock(&mutex), *read(&rwlock)), (2, 3));
        *write(&rwlock) = 4;
        assert_eq!(*read(&rwlock), 4);
    }
}
