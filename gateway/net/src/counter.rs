//! Counters with one writer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter that only its worker adds to and that any thread may read.
///
/// With a single writer an addition needs no locked instruction, so counting on the path of every
/// delivery costs as much as a plain integer. Two writers would lose additions (and nothing else).
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Takes `n` away, for counters that say how many there are now.
    pub fn sub(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(n), Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What a worker counts about its connections.
#[derive(Debug, Default)]
pub struct Counters {
    /// TCP connections accepted.
    pub accepted: Counter,
    /// TCP connections refused before a request was read, because the worker or
    /// their address had as many as it may.
    pub refused: Counter,
    /// Handshakes (TLS or HTTP) that failed or timed out.
    pub handshakes_failed: Counter,
    /// Sockets open now, in whatever state.
    pub sockets: Counter,
    /// WebSocket connections open now.
    pub connections: Counter,
    /// Bytes read from WebSocket connections.
    pub bytes_in: Counter,
    /// Bytes written to WebSocket connections.
    pub bytes_out: Counter,
    /// Frames queued for WebSocket connections.
    pub frames_out: Counter,
    /// Writes to WebSocket connections: `frames_out / writes` says how well frames coalesce.
    pub writes: Counter,
    /// Bytes that wait in outbound queues now.
    pub queued_bytes: Counter,
    /// Frames dropped at a full outbound queue.
    pub dropped: Counter,
    /// Connections closed at a full outbound queue.
    pub slow_consumers: Counter,
}
