//! All rooms after the link was lost: what was stored meanwhile comes first, in its order.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use sluice_backbone::BackboneEvent;

use super::{
    Ask, Io, Kept, is_due,
    late::Late,
    reading::{self, BATCH, Got},
    room::Arrival,
};
use crate::{Packet, names::Place};

/// How long after an answer that did not help the stream is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(200);

/// After so many answers without the last message it counts as no longer there.
const TRIES: u32 = 25;

/// The most messages that are held back meanwhile. What is dropped is missed afterwards, and read.
const HELD: usize = 65_536;

/// How far this gateway has followed the stream.
#[derive(Debug, Default)]
pub(super) enum Standing {
    /// It gets nothing, or does not know yet what it missed.
    #[default]
    Apart,
    /// What it missed is not known yet; the stream is asked again then.
    Again(Instant),
    /// What was missed is being read.
    Catching {
        /// Everything up to this offset is read.
        cursor: u64,
        /// To be read up to here.
        through: u64,
        tries: u32,
        /// When to read on; none while an answer is awaited.
        again: Option<Instant>,
    },
    /// Everything that was passed on is here.
    Live,
}

impl Standing {
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }
}

impl Kept {
    /// Holds everything back: what comes now may not be what comes next.
    pub(super) fn stand_apart(&mut self) {
        self.standing = Standing::Apart;
        self.held.clear();
        self.proving.clear();
    }

    pub(super) fn hold(&mut self, place: Place, arrival: Arrival) {
        if self.held.len() < HELD {
            self.held.push_back((place, arrival));
        }
    }

    pub(crate) fn begin_resync(&mut self, io: &mut Io<'_>) {
        self.standing = Standing::Apart;
        self.proving.clear();
        if io.connected {
            let subject = reading::info_subject(io.names);
            Self::ask(io, subject, String::new(), Ask::Info);
        }
    }

    pub(super) fn informed(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        io.requests.close(request);
        let Some(info) = reading::info(packet) else {
            return self.resync_later(io);
        };
        self.stream = info.stream;
        if self.epoch != Some(info.epoch) {
            self.begin_anew(io, info.epoch, info.last);
        }
        self.publish_again(io);
        self.pass_barrier(io);
        self.standing = Standing::Catching {
            cursor: self.watermark,
            through: info.last,
            tries: 0,
            again: None,
        };
        self.scan_on(io);
    }

    /// The stream is seen for the first time, or was made anew.
    fn begin_anew(&mut self, io: &mut Io<'_>, epoch: sluice_rooms::Epoch, last: u64) {
        let first = self.epoch.replace(epoch).is_none();
        self.watermark = last;
        (self.late, self.trailing) = (Late::default(), Vec::new());
        if first {
            return;
        }
        tracing::warn!(
            "the stream of the rooms was made anew; sessions cannot recover what was in the old one"
        );
        let mut parted: Vec<_> = self.rooms.values_mut().collect();
        parted.retain(|room| room.is_followed());
        parted.sort_unstable_by(|a, b| a.place.cmp(&b.place));
        for room in parted {
            room.follow(last);
            // Their offsets are those of the old one, so what comes now would be passed over.
            for worker in room.workers.iter() {
                io.workers
                    .deliver(worker, BackboneEvent::Lost(room.key.clone()));
            }
        }
        self.repairing.clear();
        for worker in 0..io.workers.count() {
            io.workers.deliver(worker, BackboneEvent::StoreAll);
        }
    }

    fn scan_on(&mut self, io: &mut Io<'_>) {
        let Standing::Catching {
            cursor,
            through,
            again,
            ..
        } = &mut self.standing
        else {
            return;
        };
        *again = None;
        if cursor >= through || self.rooms.is_empty() {
            return self.go_live(io);
        }
        let all = io.names.subject("in", ">");
        let body = reading::from_offset(&all, *cursor + 1, BATCH);
        Self::ask(io, reading::batch_subject(io.names), body, Ask::Scan);
    }

    pub(super) fn scanned(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        match reading::got(io.names, packet, io.now) {
            Got::Message(found) => {
                self.reached(found.offset);
                let room = self.rooms.get(&found.place);
                if room.is_some_and(|room| room.is_next(found.offset)) {
                    self.proving.add(*found);
                }
            }
            Got::Malformed(offset) => self.reached(offset),
            Got::End | Got::Nothing => {
                io.requests.close(request);
                self.prove(io);
            }
            Got::Unavailable => {
                io.requests.close(request);
                self.resync_later(io);
            }
        }
    }

    fn reached(&mut self, offset: u64) {
        if let Standing::Catching { cursor, tries, .. } = &mut self.standing {
            *cursor = offset.max(*cursor);
            *tries = 0;
        }
    }

    /// All of one answer was delivered.
    pub(super) fn scanned_all(&mut self, io: &mut Io<'_>) {
        let Standing::Catching {
            cursor,
            through,
            tries,
            again,
        } = &mut self.standing
        else {
            return;
        };
        if cursor >= through || *tries >= TRIES {
            self.go_live(io);
        } else if *tries == 0 {
            // The answer was full, or a replica is behind, which the next one tells.
            *tries = 1;
            self.scan_on(io);
        } else {
            *tries += 1;
            *again = Some(io.now + AGAIN);
        }
    }

    fn go_live(&mut self, io: &mut Io<'_>) {
        self.standing = Standing::Live;
        let held: VecDeque<_> = std::mem::take(&mut self.held);
        for (place, arrival) in held {
            self.arrive(io, &place, arrival);
        }
        self.audit.soon(io.now);
    }

    pub(super) fn resync_later(&mut self, io: &Io<'_>) {
        match &mut self.standing {
            Standing::Catching { again, .. } => *again = Some(io.now + AGAIN),
            Standing::Apart if io.connected => self.standing = Standing::Again(io.now + AGAIN),
            _ => {}
        }
    }

    pub(super) fn resync_if_due(&mut self, io: &mut Io<'_>) {
        match &self.standing {
            Standing::Again(at) if is_due(Some(*at), io.now) => self.begin_resync(io),
            Standing::Catching { again, .. } if is_due(*again, io.now) => self.scan_on(io),
            Standing::Catching { .. } => self.prove_if_due(io),
            _ => {}
        }
    }
}
