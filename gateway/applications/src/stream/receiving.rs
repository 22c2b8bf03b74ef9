//! What one end gets: each frame once and in its order, whatever the way does.

use std::time::{Duration, Instant};

use sluice_contract::application::FrameKind;

/// How long an acknowledgement waits for data to travel with, and how often the other end is told
/// that something is missing.
const DELAY: Duration = Duration::from_millis(100);

/// So many bytes are acknowledged at once: a quarter of what an instance may have under way.
const PROMPT: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Receiving {
    taken: u64,
    /// Bytes that were taken and not acknowledged.
    owed: usize,
    /// When that is due.
    due: Option<Instant>,
    complains: bool,
    /// Until when a complaint is enough.
    quiet: Option<Instant>,
}

impl Receiving {
    /// Whether that frame is the next.
    pub(super) fn data(&mut self, seq: u64, bytes: usize, now: Instant) -> bool {
        if seq > self.taken + 1 {
            self.complain(now);
            return false;
        }
        if seq <= self.taken {
            // It does not know that it has arrived.
            self.due = Some(now);
            return false;
        }
        self.taken = seq;
        self.owed += bytes;
        self.quiet = None;
        let due = if self.owed >= PROMPT {
            now
        } else {
            now + DELAY
        };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        true
    }

    /// The other end has sent all up to that frame.
    pub(super) fn sent(&mut self, seq: u64, now: Instant) {
        if seq > self.taken {
            self.complain(now);
        }
    }

    fn complain(&mut self, now: Instant) {
        if self.quiet.is_none_or(|until| until <= now) {
            self.complains = true;
            self.quiet = Some(now + DELAY);
        }
    }

    /// Whether the other end is to be told that something is missing.
    pub(super) fn complains(&self) -> bool {
        self.complains
    }

    /// What does not wait for data to travel with.
    pub(super) fn feedback(&mut self, now: Instant) -> Option<FrameKind> {
        if self.complains {
            return Some(FrameKind::Missing);
        }
        self.due
            .is_some_and(|due| due <= now)
            .then_some(FrameKind::Acknowledge)
    }

    /// What was taken, which is told now.
    pub(super) fn tell(&mut self) -> u64 {
        self.owed = 0;
        self.due = None;
        self.complains = false;
        self.taken
    }
}
