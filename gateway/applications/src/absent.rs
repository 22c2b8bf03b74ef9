//! Sessions whose clients lost their connection and may come back.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;

/// For how long something was the session's: what was emitted behind `from`, up to `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay<T> {
    /// A room that it is or was in, or a handle that it has or had.
    pub of: T,
    /// The number of the last emission before it.
    pub from: u64,
    /// The number of the last one within it; the greatest number there is where it goes on.
    pub until: u64,
}

impl<T> Stay<T> {
    /// One that goes on.
    pub fn since(of: T, from: u64) -> Self {
        let until = u64::MAX;
        Self { of, from, until }
    }

    /// Whether an emission of that number is within it.
    pub fn has(&self, seq: u64) -> bool {
        (self.from + 1..=self.until).contains(&seq)
    }
}

/// What is left of a session without a connection.
#[derive(Debug)]
pub struct Absent {
    /// By which secret its client claims it.
    pub pid: Box<str>,
    /// Its public id.
    pub session: Box<str>,
    /// Whose it is.
    pub user: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The log whose numbers follow.
    pub log: u64,
    /// The rooms that it is in, and those that it left lately.
    pub rooms: Vec<Stay<Arc<str>>>,
    /// The handles that it had.
    pub handles: Vec<Stay<u64>>,
    /// What is kept for the application, and how often that has changed.
    pub data: Option<Box<RawValue>>,
    /// How often its data has changed.
    pub rev: u64,
    /// The number of the last emission before it began.
    pub began: u64,
    /// Up to this number it is not known any more what rooms it was in.
    pub unknown: u64,
    /// When it lost its connection.
    pub left: Option<Instant>,
}

impl Absent {
    fn size(&self) -> usize {
        let rooms = self.rooms.iter().map(|stay| stay.of.len() + 64);
        let data = self.data.as_ref().map_or(0, |data| data.get().len());
        rooms.sum::<usize>() + data + self.handles.len() * 24 + 512
    }

    fn is(&self, claim: &Claim) -> bool {
        self.pid == claim.pid && self.user == claim.user && self.namespace == claim.namespace
    }
}

/// What a client says that wants its session again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// By its secret.
    pub pid: Box<str>,
    /// Who it is.
    pub user: Arc<str>,
    /// Where.
    pub namespace: Arc<str>,
}

/// All that wait. Those that wait longest go first.
#[derive(Debug, Default)]
pub(crate) struct Absents {
    by_pid: FxHashMap<Box<str>, (Instant, Absent)>,
    order: VecDeque<(Instant, Box<str>)>,
    bytes: usize,
}

impl Absents {
    /// One more waits, of at most so many bytes together with the others.
    pub(crate) fn add(&mut self, mut absent: Absent, most: usize, now: Instant) {
        let left = *absent.left.get_or_insert(now);
        self.bytes += absent.size();
        self.order.push_back((left, absent.pid.clone()));
        if let Some((_, before)) = self.by_pid.insert(absent.pid.clone(), (left, absent)) {
            self.bytes -= before.size();
        }
        if self.order.len() > 2 * self.by_pid.len() + 64 {
            let by_pid = &self.by_pid;
            let waits = |at, pid: &str| by_pid.get(pid).is_some_and(|(since, _)| *since == at);
            self.order.retain(|(at, pid)| waits(*at, pid));
        }
        while self.bytes > most {
            let Some((at, pid)) = self.order.pop_front() else {
                return;
            };
            self.forget(at, &pid);
        }
    }

    /// Ends the waiting of one, whose client is there.
    pub(crate) fn take(&mut self, claim: &Claim) -> Option<Absent> {
        let (_, absent) = self.by_pid.get(&claim.pid)?;
        if !absent.is(claim) {
            return None;
        }
        let (_, absent) = self.by_pid.remove(&claim.pid)?;
        self.bytes -= absent.size();
        Some(absent)
    }

    /// Forgets those that wait longer.
    pub(crate) fn expire(&mut self, window: Duration, now: Instant) {
        while let Some((at, pid)) = self
            .order
            .pop_front_if(|(at, _)| now.duration_since(*at) > window)
        {
            self.forget(at, &pid);
        }
    }

    fn forget(&mut self, at: Instant, pid: &str) {
        // It may have come back and gone again since.
        if self.by_pid.get(pid).is_some_and(|(since, _)| *since == at)
            && let Some((_, absent)) = self.by_pid.remove(pid)
        {
            self.bytes -= absent.size();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_pid.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
