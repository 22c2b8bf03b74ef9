//! A worker: a thread, its runtime, and what the connections on it share.
//!
//! Worker, connection, flush and reap know each other: a worker holds the connections that flush
//! and reap visit, and a connection tells its worker when it owes bytes or ends.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::VecDeque,
    fmt,
    future::Future,
    io,
    rc::Rc,
    sync::Arc,
    task::{Context, Waker},
    thread::{Builder, JoinHandle},
};

use sluice_util::Bound;
use tokio::runtime::{self, LocalOptions};

use crate::{
    connection::Connection,
    counter::Counters,
    flush,
    reap::{self, Ending, Endings},
    slices::Slices,
    write_queue::Spares,
};

/// As much as one read or one coalesced write moves.
const SCRATCH: usize = 64 * 1024;

/// What a connection may have waiting while all together have too much: what one write takes.
const SHARE: usize = 64 * 1024;

type Hook = Box<dyn Fn()>;

/// What the connections of one thread share. It never leaves its thread.
pub struct Worker {
    index: usize,
    counters: Arc<Counters>,
    read_scratch: RefCell<Box<[u8]>>,
    write_scratch: RefCell<Box<[u8]>>,
    spares: RefCell<Spares>,
    owed: RefCell<VecDeque<Rc<Connection>>>,
    flusher: RefCell<Option<Waker>>,
    /// Connections that have been written all to, and for which more waits.
    emptied: RefCell<VecDeque<Rc<Connection>>>,
    /// How often all that was owed has been written.
    flushes: Cell<u64>,
    crowded: Cell<bool>,
    max_queued: Cell<u64>,
    on_flushed: RefCell<Option<Hook>>,
    endings: Endings,
    /// When HTTP requests are answered.
    pub(crate) requests: Slices,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Worker {
    fn new(index: usize, counters: Arc<Counters>) -> Rc<Self> {
        Rc::new(Self {
            index,
            counters,
            read_scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            write_scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            spares: RefCell::default(),
            owed: RefCell::default(),
            flusher: RefCell::default(),
            emptied: RefCell::default(),
            flushes: Cell::new(0),
            crowded: Cell::new(false),
            max_queued: Cell::new(u64::MAX),
            on_flushed: RefCell::default(),
            endings: Endings::default(),
            requests: Slices::default(),
        })
    }

    /// Which worker of the gateway this is, from zero.
    pub fn index(&self) -> usize {
        self.index
    }

    /// What this worker counts.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Has `hook` called each time every connection that was owed bytes has been written to.
    pub fn on_flushed(&self, hook: impl Fn() + 'static) {
        *self.on_flushed.borrow_mut() = Some(Box::new(hook));
    }

    pub(crate) fn owe(&self, connection: Rc<Connection>) {
        self.owed.borrow_mut().push_back(connection);
        self.wake_flusher();
    }

    /// More waits for a connection whose queue is empty.
    pub(crate) fn has_emptied(&self, connection: Rc<Connection>) {
        self.emptied.borrow_mut().push_back(connection);
        self.wake_flusher();
    }

    pub(crate) fn next_emptied(&self) -> Option<Rc<Connection>> {
        self.emptied.borrow_mut().pop_front()
    }

    fn wake_flusher(&self) {
        if let Some(waker) = self.flusher.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Bounds what may wait for all connections of this worker together. Beyond it, what waits for one
    /// of them is bounded by 64 KiB, so that those make room that have more waiting.
    pub fn bound_queues(&self, bytes: u64) {
        self.max_queued.set(bytes);
    }

    /// How much may wait for a connection now, of at most `most` bytes.
    pub fn may_wait(&self, most: usize) -> Bound {
        if self.counters.queued_bytes.get() > self.max_queued.get() {
            Bound::strict(most.min(SHARE))
        } else {
            Bound::of(most)
        }
    }

    /// Some client's queue has become half full. Whoever fills queues is to let them be written
    /// before it goes on, lest a client that reads be taken for one that does not.
    pub fn crowd(&self) {
        self.crowded.set(true);
    }

    /// Whether some queue has become half full since this was asked last.
    pub fn take_crowded(&self) -> bool {
        self.crowded.take()
    }

    /// Waits until all that is owed by now was written to the sockets that take it.
    pub async fn written(&self) {
        let seen = self.flushes.get();
        loop {
            tokio::task::yield_now().await;
            if self.flushes.get() != seen || self.owed.borrow().is_empty() {
                return;
            }
        }
    }

    pub(crate) fn owes(&self, cx: &Context<'_>) -> bool {
        let owes = !self.owed.borrow().is_empty() || !self.emptied.borrow().is_empty();
        if !owes {
            *self.flusher.borrow_mut() = Some(cx.waker().clone());
        }
        owes
    }

    pub(crate) fn next_owed(&self) -> Option<Rc<Connection>> {
        self.owed.borrow_mut().pop_front()
    }

    pub(crate) fn flushed(&self) {
        self.flushes.set(self.flushes.get() + 1);
        if let Some(hook) = self.on_flushed.borrow().as_ref() {
            hook();
        }
    }

    /// Has `ending` run soon, but not all at once with others: see [`crate::reap`].
    pub(crate) fn reap(&self, ending: Ending) {
        self.endings.push(ending);
    }

    pub(crate) fn endings(&self) -> &Endings {
        &self.endings
    }

    pub(crate) fn spares(&self) -> RefMut<'_, Spares> {
        self.spares.borrow_mut()
    }

    pub(crate) fn read_scratch(&self) -> RefMut<'_, Box<[u8]>> {
        self.read_scratch.borrow_mut()
    }

    pub(crate) fn write_scratch(&self) -> RefMut<'_, Box<[u8]>> {
        self.write_scratch.borrow_mut()
    }
}

/// Starts a worker's thread, which ends when the future that `main` makes on it does; tasks that
/// are left then are dropped. The thread returns an error where its runtime cannot be made.
///
/// # Errors
/// Where the thread cannot be started.
pub fn start<M, F>(
    index: usize,
    counters: Arc<Counters>,
    main: M,
) -> io::Result<JoinHandle<io::Result<F::Output>>>
where
    M: FnOnce(Rc<Worker>) -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            let mut builder = runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build_local(LocalOptions::default())?;
            Ok(runtime.block_on(run(index, counters, main)))
        })
}

/// Runs a worker on the current thread, inside a local runtime that the caller has made.
pub async fn run<M, F>(index: usize, counters: Arc<Counters>, main: M) -> F::Output
where
    M: FnOnce(Rc<Worker>) -> F,
    F: Future,
{
    let worker = Worker::new(index, counters);
    tokio::task::spawn_local(flush::run(Rc::clone(&worker)));
    tokio::task::spawn_local(reap::run(Rc::clone(&worker)));
    main(worker).await
}
