//! What is counted of one application.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the gateway began.
#[derive(Debug, Default)]
pub struct Counters {
    /// Instances that can be given sessions now.
    pub instances: AtomicU64,
    /// Entries that instances were said.
    pub said: AtomicU64,
    /// Entries that instances said.
    pub heard: AtomicU64,
    /// Frames that were sent again.
    pub sent_again: AtomicU64,
    /// Messages that are no frames, beats or entries as they should be.
    pub malformed: AtomicU64,
    /// Entries of a kind that a newer version says.
    pub newer: AtomicU64,
    /// Frames of streams that are not there.
    pub strays: AtomicU64,
    /// Instances that said that they end.
    pub ended: AtomicU64,
    /// Instances that fell silent.
    pub silent: AtomicU64,
    /// Instances whose main loop stood still.
    pub blocked: AtomicU64,
    /// Streams that ended by a reset or by what cannot be read.
    pub reset: AtomicU64,
    /// Bytes that are kept for clients that lost their connection.
    pub recovery_bytes: AtomicU64,
    /// Bytes that wait for instances.
    pub held_bytes: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
