//! All rooms after the link was lost: what was stored meanwhile comes first, in its order.

mod backlog;
mod expired;
mod moved;

use std::time::{Duration, Instant};

use self::{backlog::Backlog, expired::Expired, moved::Moved};
use super::{Io, rooms::Rooms};
use crate::Packet;

/// How long after an answer that did not help the stream is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// How far this gateway has followed the stream.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    /// It gets nothing, or does not know yet what it missed.
    #[default]
    Apart,
    /// What was missed is being read.
    Reading,
    /// Everything that was passed on is here.
    Live,
}

/// Reading what all rooms missed: first which of them have moved, then what is new in those.
///
/// What can make the gateway go live says so by `true`.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    stage: Stage,
    moved: Moved,
    backlog: Backlog,
    expired: Expired,
}

impl CatchUp {
    /// Whether what was missed is being read.
    pub(super) fn is_reading(&self) -> bool {
        self.stage == Stage::Reading
    }

    /// The link is lost; something was last heard of the stream then.
    pub(super) fn disconnected(&mut self, rooms: &mut Rooms, heard: Option<Instant>) {
        self.expired.lose_sight(heard);
        self.begin(rooms);
        rooms.forget_held();
    }

    /// Holds back what arrives, until it is known how far the stream is.
    pub(super) fn begin(&mut self, rooms: &mut Rooms) {
        self.stage = Stage::Apart;
        self.moved.clear();
        self.backlog.begin(0);
        rooms.hold_back();
    }

    /// Reads what all rooms missed, up to `through`.
    pub(super) fn read_up_to(&mut self, io: &mut Io<'_>, rooms: &mut Rooms, through: u64) -> bool {
        // An answer that comes again begins anew, and nothing may pass what is read.
        rooms.hold_back();
        self.stage = Stage::Reading;
        self.moved.clear();
        self.backlog.begin(through);
        let after = rooms.watermark();
        if after < through {
            self.moved.begin(io, rooms, through);
        }
        self.expired.begin(io, (after, through));
        self.go_live_if_read(io, rooms)
    }

    /// The last message of a room, or the end of the answer.
    pub(super) fn moved(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        question: (u64, u64),
        packet: &Packet,
    ) -> bool {
        if let Some((place, last)) = self.moved.came(io, question, packet) {
            self.backlog.want(io, rooms, place, last);
        }
        self.go_live_if_read(io, rooms)
    }

    /// A message that a room has missed, or the end of the answer.
    pub(super) fn read(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        question: (u64, u64),
        packet: &Packet,
    ) -> bool {
        self.backlog.came(io, rooms, question, packet);
        self.go_live_if_read(io, rooms)
    }

    /// How many messages there are of those that were stored meanwhile.
    pub(super) fn counted(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        question: (u64, u64),
        packet: &Packet,
    ) -> bool {
        self.expired.came(io, question, packet);
        self.go_live_if_read(io, rooms)
    }

    /// It stays unknown how many there are.
    pub(super) fn counted_unanswered(&mut self, io: &Io<'_>, question: u64) {
        self.expired.unanswered(io, question);
    }

    /// It stays unknown which of some rooms have moved.
    pub(super) fn moved_unanswered(&mut self, io: &Io<'_>, number: u64) {
        self.moved.unanswered(io, number);
    }

    /// A room does not answer.
    pub(super) fn read_unanswered(&mut self, io: &mut Io<'_>, number: u64) {
        self.backlog.unanswered(io, number);
    }

    /// Does what is due.
    pub(super) fn go_on(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        if self.stage == Stage::Reading {
            self.moved.ask_due(io);
            self.backlog.ask_due(io);
            self.expired.ask_due(io);
        }
        self.go_live_if_read(io, rooms)
    }

    fn go_live_if_read(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) -> bool {
        let is_read = self.moved.is_known() && self.backlog.is_read() && self.expired.is_known();
        if self.stage != Stage::Reading || !is_read {
            return false;
        }
        self.backlog.deliver(io, rooms);
        self.stage = Stage::Live;
        self.expired.tell(io, rooms);
        rooms.go_live(io);
        true
    }
}
