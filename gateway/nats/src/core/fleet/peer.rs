//! Another gateway.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_contract::{Status, WireVersion};

/// How long a gateway counts as heard: so many heartbeats may be lost, less one.
const HEARD_FOR: Duration = Duration::from_secs(3);

/// Another gateway, as a status shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerInfo {
    /// Its number.
    pub gateway: u32,
    /// Its name for people.
    pub name: Arc<str>,
    /// The newest wire version that it reads.
    pub reads: WireVersion,
    /// What it said of itself.
    pub status: Status,
    /// How long ago it was last heard.
    pub silent_for: Duration,
    /// Whether it said that it ends.
    pub ends: bool,
}

/// What is known of it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: Arc<str>,
    /// The first, until it has said something else.
    pub(super) reads: WireVersion,
    pub(super) status: Status,
    /// When its last heartbeat came; none where it is known by other words only.
    pub(super) heard: Option<Instant>,
    pub(super) ends: bool,
    /// When it counts as gone.
    pub(super) gone: Instant,
}

impl Peer {
    /// One of which nothing is known.
    pub(super) fn new(gone: Instant) -> Self {
        Self {
            name: "".into(),
            reads: WireVersion::FIRST,
            status: Status::default(),
            heard: None,
            ends: false,
            gone,
        }
    }

    /// Whether it was heard a moment ago, and has not said that it ends.
    pub(super) fn is_heard(&self, now: Instant) -> bool {
        let heard = |at: Instant| now.saturating_duration_since(at) < HEARD_FOR;
        !self.ends && self.heard.is_some_and(heard)
    }

    /// What a status shows of it, once it has said something.
    pub(super) fn info(&self, gateway: u32, now: Instant) -> Option<PeerInfo> {
        Some(PeerInfo {
            gateway,
            name: Arc::clone(&self.name),
            reads: self.reads,
            status: self.status.clone(),
            silent_for: now.saturating_duration_since(self.heard?),
            ends: self.ends,
        })
    }
}
