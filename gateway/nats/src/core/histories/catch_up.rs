//! All rooms after the link was lost: what was stored meanwhile comes first, in its order.

mod proving;

use std::time::{Duration, Instant};

use self::proving::Proving;
use super::{
    Io,
    ask::{Ask, ask},
    rooms::Rooms,
    stream::{self, BATCH, Got},
};
use crate::{Packet, core::patience::is_due, names::Place};

/// How long after an answer that did not help the stream is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// After so many answers without the last message it counts as no longer there.
const TRIES: u32 = 25;

/// How far this gateway has followed the stream.
#[derive(Debug, Default)]
enum Stage {
    /// It gets nothing, or does not know yet what it missed.
    #[default]
    Apart,
    /// What was missed is being read.
    Reading {
        /// Everything up to this offset is read.
        cursor: u64,
        /// To be read up to here.
        through: u64,
        /// How many messages before that are not in the stream any more, unless they are seen yet.
        unseen: u64,
        tries: u32,
        /// When to read on; none while an answer is awaited.
        again: Option<Instant>,
    },
    /// Everything that was passed on is here.
    Live,
}

/// Reading what all rooms missed.
///
/// What can make the gateway go live says so by `true`.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    stage: Stage,
    proving: Proving,
    /// When something was last heard of the stream before this gateway lost sight of it.
    heard: Option<Instant>,
}

impl CatchUp {
    /// Whether what was missed is being read.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.stage, Stage::Reading { .. })
    }

    /// The link is lost.
    pub(super) fn disconnected(&mut self, rooms: &mut Rooms, heard: Option<Instant>) {
        self.heard = self.heard.or(heard);
        self.stand_apart(rooms);
        rooms.forget_held();
    }

    /// Holds back what arrives, until it is known how far the stream is.
    pub(super) fn begin(&mut self, rooms: &mut Rooms) {
        self.stand_apart(rooms);
    }

    fn stand_apart(&mut self, rooms: &mut Rooms) {
        self.stage = Stage::Apart;
        self.proving.clear();
        rooms.hold_back();
    }

    /// Reads what all rooms missed, up to `through`.
    pub(super) fn read_up_to(&mut self, io: &mut Io<'_>, rooms: &mut Rooms, through: u64) -> bool {
        // An answer that comes again begins anew, and nothing may pass what is read.
        rooms.hold_back();
        self.stage = Stage::Reading {
            cursor: rooms.watermark(),
            through,
            unseen: through.saturating_sub(rooms.watermark()),
            tries: 0,
            again: None,
        };
        self.read_on(io, rooms)
    }

    fn read_on(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        let Stage::Reading {
            cursor,
            through,
            again,
            ..
        } = &mut self.stage
        else {
            return false;
        };
        *again = None;
        if cursor >= through || rooms.is_empty() {
            return self.go_live(io, rooms);
        }
        let all = io.names.all_stored();
        let body = stream::from_offset(&all, *cursor + 1, BATCH);
        ask(io, stream::batch_subject(io.names), body, Ask::Scan);
        false
    }

    /// A part of what all rooms missed.
    pub(super) fn scanned(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        request: u64,
        packet: &Packet,
    ) -> bool {
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                self.reached(found.offset);
                let room = rooms.get(&found.place);
                if room.is_some_and(|room| room.is_next(found.offset)) {
                    self.proving.add(*found);
                }
                false
            }
            Got::Unread(offset, _) => {
                self.reached(offset);
                false
            }
            Got::End | Got::Nothing => {
                io.requests.close(request);
                self.proving.begin(io, rooms) && self.delivered(io, rooms)
            }
            Got::Unavailable | Got::Refused => {
                io.requests.close(request);
                self.later(io);
                false
            }
        }
    }

    fn reached(&mut self, offset: u64) {
        if let Stage::Reading {
            cursor,
            through,
            tries,
            unseen,
            ..
        } = &mut self.stage
        {
            let counts = *cursor < offset && offset <= *through;
            *unseen = unseen.saturating_sub(counts.into());
            *cursor = offset.max(*cursor);
            *tries = 0;
        }
    }

    /// What follows the last message that was delivered in one room.
    pub(super) fn proved(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        request: u64,
        place: &Place,
        packet: &Packet,
    ) -> bool {
        let proven = self.proving.answered(io, rooms, request, place, packet);
        proven && self.delivered(io, rooms)
    }

    /// A room that has not answered is asked again.
    pub(super) fn prove_later(&mut self, io: &Io<'_>, place: &Place) {
        self.proving.later(io, place);
    }

    /// All of one answer was delivered.
    fn delivered(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        let Stage::Reading {
            cursor,
            through,
            tries,
            again,
            ..
        } = &mut self.stage
        else {
            return false;
        };
        if cursor >= through || *tries >= TRIES {
            self.go_live(io, rooms)
        } else if *tries == 0 {
            // The answer was full, or a replica is behind, which the next one tells.
            *tries = 1;
            self.read_on(io, rooms)
        } else {
            *tries += 1;
            *again = Some(io.now + AGAIN);
            false
        }
    }

    fn go_live(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        let stage = std::mem::replace(&mut self.stage, Stage::Live);
        let heard = self.heard.take();
        if let Stage::Reading {
            unseen: 1..,
            through,
            ..
        } = stage
            && let Some(heard) = heard
        {
            let away = io.now.saturating_duration_since(heard);
            rooms.lose_expired(io, away, through);
        }
        rooms.go_live(io);
        true
    }

    /// An answer did not come, or did not help.
    pub(super) fn later(&mut self, io: &Io<'_>) {
        if let Stage::Reading { again, .. } = &mut self.stage {
            *again = Some(io.now + AGAIN);
        }
    }

    /// Does what is due.
    pub(super) fn go_on(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        match &self.stage {
            Stage::Reading { again, .. } if is_due(*again, io.now) => self.read_on(io, rooms),
            Stage::Reading { .. } => self.proving.go_on(io, rooms) && self.delivered(io, rooms),
            _ => false,
        }
    }
}
