//! One instance of an application, and the stream to it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use sluice_contract::application::{Entries, Entry};
use sluice_util::{Full, lock};
use tokio::sync::Notify;

use crate::{Counters, counters::add, stream::Stream};

/// The most that waits for one instance: what is under way, and as much behind it as a moment of
/// all clients' events may be.
const MOST_HELD: usize = 16 * 1024 * 1024;

/// Something that an instance was said and is not known to have taken.
#[derive(Debug, Clone)]
pub struct Undelivered {
    /// About whom.
    pub handle: u64,
    /// The entry as it was written.
    pub entry: Bytes,
    /// Whether it was sent: the instance may have taken it, and nobody knows.
    pub sent: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) stream: Stream,
    pub(crate) entries: Entries,
    /// Whether it has begun as it must.
    pub(crate) greeted: bool,
}

/// An instance as long as its stream lives. One that opens another stream is another.
pub struct Instance {
    id: Box<str>,
    number: u64,
    /// The application.
    application: Arc<str>,
    /// Where it hears.
    pub(crate) subject: String,
    ends: Mutex<Ends>,
    gone: AtomicBool,
    /// Whether there may be something to send.
    pub(crate) dirty: AtomicBool,
    wake: Arc<Notify>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({} {})", self.id, self.number)
    }
}

impl Instance {
    pub(crate) fn new(
        (id, number): (&str, u64),
        application: &Arc<str>,
        subject: String,
        wake: &Arc<Notify>,
        counters: &Arc<Counters>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: id.into(),
            number,
            application: Arc::clone(application),
            subject,
            ends: Mutex::default(),
            gone: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            wake: Arc::clone(wake),
            counters: Arc::clone(counters),
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The application's name.
    pub fn application(&self) -> &Arc<str> {
        &self.application
    }

    /// Which of its streams this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn ends(&self) -> MutexGuard<'_, Ends> {
        // Both ends are whole between any two operations, so a poisoned lock is still usable.
        lock(&self.ends)
    }

    /// Says an entry about a session, which its handle names; 0 where it is about none. What the
    /// instance has not taken when it goes comes back in [`Arrival::Gone`](crate::Arrival::Gone).
    ///
    /// # Errors
    /// Where more waits for the instance than may be, or it is not there any more. Nothing was said.
    pub fn say_bytes(&self, handle: u64, entry: Bytes) -> Result<(), Full> {
        let mut ends = self.ends();
        if self.is_gone() {
            // What is said before its sessions are told that it has gone would go with it.
            return Err(Full);
        }
        if ends.stream.held() > MOST_HELD {
            return Err(Full);
        }
        ends.stream.put(handle, entry);
        drop(ends);
        add(&self.counters.said);
        self.send_soon();
        Ok(())
    }

    /// The same for an entry that is yet to be written.
    ///
    /// # Errors
    /// As [`Self::say_bytes`].
    pub fn say(&self, handle: u64, entry: &Entry<'_>) -> Result<(), Full> {
        let mut bytes = Vec::with_capacity(128);
        entry.write(&mut bytes);
        self.say_bytes(handle, bytes.into())
    }

    pub(crate) fn send_soon(&self) {
        if !self.dirty.swap(true, Relaxed) {
            self.wake.notify_one();
        }
    }

    /// Whether it is not there any more.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// It is not there any more: what it did not take.
    pub(crate) fn end(&self) -> Vec<Undelivered> {
        let mut ends = self.ends();
        self.gone.store(true, Relaxed);
        let unsent = ends.stream.unsent().into_iter();
        let unsent = unsent.filter(|unsent| unsent.tag != 0);
        unsent
            .map(|unsent| Undelivered {
                handle: unsent.tag,
                entry: unsent.entry,
                sent: unsent.sent,
            })
            .collect()
    }
}
