//! Connections that have shown no key yet: few, for a short time, and apart from those that have.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use sluice_util::{Newcomers, lock};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{AbortHandle, Id},
};

/// How long a connection may go without showing a key.
const KEYLESS_TIME: Duration = Duration::from_secs(10);

/// How many of them an address may have.
const KEYLESS_OF_ADDRESS: usize = 64;

/// How many of them there may be.
const KEYLESS: usize = 512;

/// What a listener knows of its connections.
pub(crate) struct Connections {
    keyless: Mutex<Newcomers<AbortHandle>>,
    known: Arc<Semaphore>,
}

/// A connection that had shown no key when it began.
pub(crate) struct Newcomer {
    connections: Arc<Connections>,
    task: Id,
    /// Whether it has shown one; with its place among those.
    known: OnceLock<OwnedSemaphorePermit>,
}

impl Connections {
    /// Takes up to `most` connections that have shown a key.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            keyless: Mutex::new(Newcomers::new(KEYLESS_OF_ADDRESS, KEYLESS)),
            known: Arc::new(Semaphore::new(most)),
        })
    }

    /// Begins a connection from `address`, which is one without a key. Where there are too many, the
    /// oldest ends.
    pub(crate) fn arrive(&self, address: IpAddr, begin: impl FnOnce() -> AbortHandle) {
        // Whoever shows a key at once waits for the lock, and is among them by then.
        let mut keyless = lock(&self.keyless);
        keyless.retain(|task| !task.is_finished());
        if let Some(oldest) = keyless.add(address, begin()) {
            tracing::debug!("a connection to the server API that showed no key made room");
            oldest.abort();
        }
    }
}

impl Newcomer {
    /// The connection of the current task.
    pub(crate) fn here(connections: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self {
            connections,
            task: tokio::task::id(),
            known: OnceLock::new(),
        })
    }

    /// It has shown a good key. False where as many have as may.
    pub(crate) fn has_key(&self) -> bool {
        if self.known.get().is_some() {
            return true;
        }
        let Ok(permit) = Arc::clone(&self.connections.known).try_acquire_owned() else {
            return false;
        };
        let _ = self.known.set(permit);
        let mut keyless = lock(&self.connections.keyless);
        keyless.retain(|task| task.id() != self.task);
        true
    }

    /// Waits until it has gone without a key for too long.
    pub(crate) async fn overdue(&self) {
        tokio::time::sleep(KEYLESS_TIME).await;
        if self.known.get().is_some() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{spawn, sync::oneshot, time::Instant};

    use super::*;

    /// A newcomer, and its task, which goes on until it is overdue.
    async fn arrive(
        connections: &Arc<Connections>,
    ) -> (Arc<Newcomer>, tokio::task::JoinHandle<()>) {
        let ((tell, told), (give, given)) = (oneshot::channel(), oneshot::channel());
        let of_all = Arc::clone(connections);
        connections.arrive(IpAddr::from([192, 0, 2, 1]), || {
            let task = spawn(async move {
                let newcomer = Newcomer::here(of_all);
                let _ = tell.send(Arc::clone(&newcomer));
                newcomer.overdue().await;
            });
            let handle = task.abort_handle();
            let _ = give.send(task);
            handle
        });
        (told.await.unwrap(), given.await.unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_key_ends_after_its_time_and_one_with_a_key_goes_on() {
        let connections = Connections::new(1);
        let (keyless, its_task) = arrive(&connections).await;
        let (known, other_task) = arrive(&connections).await;
        assert!(known.has_key() && known.has_key());
        assert!(!keyless.has_key(), "one may have a key here");
        let began = Instant::now();
        its_task.await.unwrap();
        assert_eq!(began.elapsed(), KEYLESS_TIME);
        tokio::time::sleep(KEYLESS_TIME).await;
        assert!(!other_task.is_finished());
    }

    #[tokio::test]
    async fn those_without_a_key_make_room_for_each_other_and_those_with_one_do_not() {
        let connections = Connections::new(1);
        let (known, its_task) = arrive(&connections).await;
        assert!(known.has_key());
        let (_, oldest) = arrive(&connections).await;
        let mut others = Vec::new();
        for _ in 0..KEYLESS_OF_ADDRESS {
            others.push(arrive(&connections).await);
        }
        assert!(oldest.await.unwrap_err().is_cancelled());
        assert!(!its_task.is_finished());
        assert!(others.iter().all(|(_, task)| !task.is_finished()));
    }
}
