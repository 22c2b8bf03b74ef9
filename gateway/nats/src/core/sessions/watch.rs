//! Whether the stream of sessions is there, and the one that it was.
//!
//! It can be deleted, made anew, or have its store put back to an older copy, as the rooms' stream
//! can. What is stored of this gateway's sessions is stored again then: nothing else of it is lost.

use std::time::{Duration, Instant};

use sluice_backbone::BackboneEvent;

use super::{ANSWER, Ask, Io, Sessions, moves::Moves};
use crate::{
    Packet,
    core::{
        Purpose,
        counters::StreamLosses,
        histories::{StreamState, stream_state},
        io::Action,
    },
};

/// How long after the stream was seen it is looked at again.
const EVERY: Duration = Duration::from_secs(3);

/// Within how many milliseconds after that, so that gateways do not look all at once.
const SPREAD: u64 = 1_000;

/// How long after something was not as it should be.
const AGAIN: Duration = Duration::from_millis(500);

/// What was seen of the stream.
#[derive(Debug, Default)]
pub(super) struct Watch {
    created: Option<Box<str>>,
    /// No entry with a greater sequence number is known.
    reach: u64,
    next: Option<Instant>,
    /// Whether it seems that the store went back.
    doubted: bool,
    /// Whether it is certain.
    went_back: bool,
    gone: bool,
    losses: StreamLosses,
}

impl Watch {
    /// The greatest sequence number that is known.
    pub(super) fn reach(&self) -> u64 {
        self.reach
    }

    /// The stream has stored something, which was sent when no sequence number greater than `reach`
    /// was known.
    pub(super) fn took(&mut self, now: Instant, sequence: u64, reach: u64) {
        if sequence <= reach {
            self.went_back = true;
            self.next = Some(now);
        }
        self.reach = self.reach.max(sequence);
    }
}

impl Sessions {
    /// What became of the stream while this gateway ran.
    pub(crate) fn losses(&self) -> StreamLosses {
        self.watch.losses
    }

    pub(super) fn look_if_due(&mut self, io: &mut Io<'_>) {
        if !io.connected || self.watch.next.is_some_and(|at| at > io.now) {
            return;
        }
        let spread = Duration::from_millis(io.random(SPREAD));
        self.watch.next = Some(io.now + EVERY + spread);
        let subject = format!("$JS.API.STREAM.INFO.{}", io.names.sessions_stream());
        let purpose = Purpose::Sessions(Ask::Info(self.watch.reach));
        io.request(subject, Vec::new(), "", purpose, ANSWER);
    }

    /// The stream says of itself what it is, asked when no greater sequence number than `reach` was
    /// known.
    pub(super) fn informed(&mut self, io: &mut Io<'_>, reach: u64, packet: &Packet) {
        match stream_state(packet) {
            StreamState::There { created, last } => self.seen(io, reach, created, last),
            StreamState::Gone => self.missing(io),
            StreamState::Unknown => {}
        }
    }

    fn seen(&mut self, io: &mut Io<'_>, reach: u64, created: Box<str>, last: u64) {
        let watch = &mut self.watch;
        watch.gone = false;
        let known = watch.created.replace(created);
        let anew = known.is_some() && known != watch.created;
        // A leader that was just elected may not know its last entry yet.
        let behind = std::mem::replace(&mut watch.doubted, last < reach) && last < reach;
        if anew {
            watch.losses.anew += 1;
        } else if behind || watch.went_back {
            watch.losses.back += 1;
        } else {
            if watch.doubted {
                watch.next = Some(io.now + AGAIN);
            }
            watch.reach = watch.reach.max(last);
            return;
        }
        (watch.reach, watch.doubted, watch.went_back) = (last, false, false);
        self.store_all(io);
    }

    /// Nothing of this gateway may be stored any more.
    fn store_all(&mut self, io: &mut Io<'_>) {
        tracing::warn!(
            "the stream of the sessions was made anew, or its store put back; all sessions are stored again"
        );
        for own in self.own.values_mut() {
            own.sequence = 0;
        }
        self.moves = Moves::default();
        self.connected(io);
        for worker in 0..io.workers.count() {
            io.workers.deliver(worker, BackboneEvent::StoreAll);
        }
    }

    fn missing(&mut self, io: &mut Io<'_>) {
        io.out.push(Action::KeepStreams);
        self.watch.next = Some(io.now + AGAIN);
        if !std::mem::replace(&mut self.watch.gone, true) {
            self.watch.losses.gone += 1;
            tracing::error!(
                stream = io.names.sessions_stream(),
                "the stream of the sessions is not there; it is made anew, and sessions of gateways that have died cannot be recovered"
            );
        }
    }
}
