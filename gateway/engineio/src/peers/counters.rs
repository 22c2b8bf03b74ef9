//! What is counted between gateways, by whichever thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a gateway counts about sessions of others, and others' requests for its own.
#[derive(Debug, Default)]
pub struct PeerCounters {
    /// Polls that were passed on to their owner.
    pub polls: Count,
    /// Posts that were passed on to their owner.
    pub posts: Count,
    /// WebSocket connections passed on now, as the gateway that accepted them or as their owner.
    pub tunnels: Count,
    /// WebSocket connections that were ever passed on.
    pub tunnels_opened: Count,
    /// Calls that nobody answered in time.
    pub unreachable: Count,
    /// Requests with a session's id that the gateway which it names has not made.
    pub forged: Count,
    /// Frames that could not be read, or were of no use.
    pub malformed: Count,
    /// Tunnels that ended because the other gateway was gone or made no sense.
    pub broken: Count,
    /// Frames of tunnels that were sent again, counted when their tunnel ends.
    pub sent_again: Count,
    /// Tunnels and parts that were refused because there were too many already.
    pub full: Count,
}

/// A figure that any thread may change and read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(crate) fn sub(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// What was counted so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
