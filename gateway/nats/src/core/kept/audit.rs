//! Looking for messages that nothing behind them shows to be missing: the last ones of rooms.
//!
//! They can be lost where the stream's leader dies between storing and passing on, or where the
//! connection between two NATS servers breaks. A few rooms at a time are compared with the stream,
//! more of them after a change of the leader.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    Ask, Io, Kept,
    reading::{self, Got},
    room::Phase,
};
use crate::{Packet, names::Place};

/// How often some rooms are compared.
const EVERY: Duration = Duration::from_secs(2);

/// How many at a time.
const ROOMS: usize = 64;

/// How often, and how many, for a while after something may have been lost.
const SOON: Duration = Duration::from_millis(200);
const MANY: usize = 512;

/// How long a message may be on its way before it is missed.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

const SWEEP_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Audit {
    next: Option<Instant>,
    /// How many rooms are still to be compared quickly.
    hurry: usize,
    /// The rooms in the order of their turns.
    turns: VecDeque<Place>,
    /// Messages that may be missing, and when they count as that.
    suspects: Vec<(Instant, Place, u64)>,
    sweep: Option<Instant>,
}

impl Audit {
    /// Something may have been lost.
    pub(super) fn soon(&mut self, now: Instant) {
        self.hurry = usize::MAX;
        self.next = Some(now + ON_ITS_WAY);
    }

    /// A room is followed from now on.
    pub(super) fn follow(&mut self, place: Place) {
        self.turns.push_back(place);
    }

    /// Rooms of which a message counts as missing soon.
    pub(super) fn suspected(&self) -> impl Iterator<Item = &Place> {
        self.suspects.iter().map(|(_, place, _)| place)
    }

    pub(super) fn is_time_to_sweep(&mut self, now: Instant) -> bool {
        let due = self.sweep.is_none_or(|at| at <= now);
        if due {
            self.sweep = Some(now + SWEEP_EVERY);
        }
        due
    }
}

impl Kept {
    /// The stream has another leader: the last one may have died before it passed all on.
    pub(crate) fn leader_changed(&mut self, io: &Io<'_>) {
        self.audit.soon(io.now);
    }

    pub(super) fn audit_if_due(&mut self, io: &mut Io<'_>) {
        self.miss_suspects(io);
        if !io.connected || !self.standing.is_live() || self.rooms.is_empty() {
            return;
        }
        if self.audit.next.is_none_or(|at| at <= io.now) {
            let many = self.audit.hurry > 0;
            let rooms = self.next_rooms(io, if many { MANY } else { ROOMS });
            self.audit.hurry = self.audit.hurry.min(self.rooms.len()).saturating_sub(MANY);
            self.audit.next = Some(io.now + if self.audit.hurry > 0 { SOON } else { EVERY });
            if !rooms.is_empty() {
                let body = reading::last_of(&rooms);
                Self::ask(io, reading::batch_subject(io.names), body, Ask::Audit);
            }
        }
    }

    fn miss_suspects(&mut self, io: &mut Io<'_>) {
        let due = |suspect: &mut (Instant, Place, u64)| suspect.0 <= io.now;
        let suspects: Vec<_> = self.audit.suspects.extract_if(.., due).collect();
        for (_, place, offset) in suspects {
            self.miss(io, &place, offset);
        }
    }

    pub(super) fn audited(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        match reading::got(io.names, packet, io.now) {
            Got::Message(found) => {
                let behind = self.rooms.get(&found.place).is_some_and(|room| {
                    matches!(room.phase, Phase::Following) && room.head < found.offset
                });
                if behind {
                    let at = io.now + ON_ITS_WAY;
                    self.audit.suspects.push((at, found.place, found.offset));
                }
            }
            Got::Malformed(_) => {}
            Got::End | Got::Nothing | Got::Unavailable => io.requests.close(request),
        }
    }

    /// The subjects of the rooms whose turn it is.
    fn next_rooms(&mut self, io: &Io<'_>, most: usize) -> Vec<String> {
        let mut subjects = Vec::new();
        for _ in 0..self.audit.turns.len().min(most) {
            if let Some(place) = self.audit.turns.pop_front()
                && self.rooms.contains_key(&place)
            {
                subjects.push(io.names.subject("in", &place));
                self.audit.turns.push_back(place);
            }
        }
        subjects
    }
}
