//! Whether the stream takes messages, and is the one that it was.
//!
//! A stream can be deleted, be made anew, or have its store put back to an older copy: by people,
//! or by servers that lose power before they have written to their disks. Nothing tells of the
//! last: the stream is as old as it was, and gives offsets a second time. So what was seen in it is
//! held against it:
//!
//! - Some gateway writes a *pulse* every few seconds, which all hear. It shows that the stream
//!   takes messages, and which offset comes next.
//! - A message that gets an offset which was there before shows that the store went back.
//! - After each connect and each change of the leader, the last messages that were seen are asked
//!   for: they must be there, and be the same.
//!
//! Whoever finds that the store went back marks the stream with a new epoch, once, and all gateways
//! go by the mark.

mod look;

use std::time::{Duration, Instant};

use sluice_contract::{EpochMark, Names};
use sluice_rooms::Epoch;

use self::look::Looking;
pub(super) use self::look::Verdict;
use super::{
    Io,
    ask::{Ask, ask},
    rooms::Rooms,
    stream::{self, Info},
};
use crate::{
    Packet,
    core::{Purpose, counters::StreamLosses, io::Action, patience::is_due},
};

/// How long after the last pulse there is another one.
const EVERY: Duration = Duration::from_secs(2);

/// Within how many milliseconds after that gateways write it: most hear it of another one first.
const SPREAD: u64 = 500;

/// How long a pulse is kept.
const KEPT: Duration = Duration::from_mins(10);

/// How long a pulse may take to be stored.
const ANSWER: Duration = Duration::from_secs(2);

/// How long after the stream took the last message it counts as taking none.
const STORES: Duration = Duration::from_secs(5);

/// How long after an answer that did not help the stream is looked at again.
const AGAIN: Duration = Duration::from_millis(200);

/// How many pulses a second there are at the very most, all gateways together.
const PULSES: u64 = 4;

/// Stores under the condition that this is the last entry of the subject.
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// A message that was seen in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Anchor {
    offset: u64,
    identity: Box<str>,
    /// When it was seen, for a pulse: it is there for a while then.
    pulse: Option<Instant>,
}

/// What was seen of the stream.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When it was made, as NATS says it.
    created: Option<Box<str>>,
    epoch: Option<Epoch>,
    /// No message with a greater offset is known.
    reach: u64,
    pulse: Option<Anchor>,
    /// A message that is missing, until that is certain.
    doubt: Option<(Anchor, Doubt)>,
    /// Whether it is certain that the store went back.
    went_back: bool,
    looking: Option<Looking>,
    looks: u64,
    /// When it is looked at again.
    again: Option<Instant>,
    /// Whether a pulse is on its way.
    pulsing: bool,
    next_pulse: Option<Instant>,
    /// When it was last seen to take a message.
    stored: Option<Instant>,
    gone: bool,
    pub(super) losses: StreamLosses,
}

/// How sure it is that a message is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// A leader that was just elected may not have it yet.
    Early,
    /// The leader has stored something since.
    Late,
}

impl Watch {
    /// Whether the stream took a message a moment ago. A leader that changes is no reason to say
    /// otherwise.
    pub(super) fn stores(&self, now: Instant) -> bool {
        let recent = |at: Instant| now.saturating_duration_since(at) < STORES;
        self.stored.is_some_and(recent)
    }

    /// When it was last seen to take a message.
    pub(super) fn heard_at(&self) -> Option<Instant> {
        self.stored
    }

    /// Whether the stream that says this of itself is the one that was seen.
    pub(super) fn is_same(&self, info: &Info) -> bool {
        self.created.as_ref() == Some(&info.created)
    }

    /// The greatest offset that is known.
    pub(super) fn reach(&self, rooms: &Rooms) -> u64 {
        self.reach.max(rooms.watermark())
    }

    /// The link is lost, and with it all answers.
    pub(super) fn disconnected(&mut self) {
        (self.looking, self.pulsing, self.again) = (None, false, None);
    }

    /// Something may be wrong.
    pub(super) fn suspect(&mut self, now: Instant) {
        self.again.get_or_insert(now);
    }

    /// The stream has taken a message, which was sent when none with an offset greater than `reach`
    /// was known.
    pub(super) fn took(&mut self, now: Instant, offset: u64, reach: u64) {
        self.stored = Some(now);
        if offset <= reach {
            self.went_back = true;
            self.suspect(now);
        }
        self.reach = self.reach.max(offset);
    }

    /// The stream has passed on a message of a room.
    pub(super) fn heard(&mut self, now: Instant) {
        self.stored = Some(now);
    }

    /// The stream has passed on something that is no room's.
    pub(super) fn heard_own(&mut self, io: &mut Io<'_>, place: &str, packet: &Packet) {
        self.heard(io.now);
        let Some(offset) = packet.headers.number("Nats-Sequence") else {
            return;
        };
        if place != Names::PULSE {
            // Another epoch has begun.
            return self.suspect(io.now);
        }
        self.pulse_later(io);
        let known = self.pulse.as_ref().map_or(0, |pulse| pulse.offset);
        if packet.headers.number("Nats-Last-Sequence") != Some(known) && known > 0 {
            // A pulse was not heard, or is no longer there.
            self.suspect(io.now);
        }
        self.pulse = Some(Anchor {
            offset,
            identity: String::from_utf8_lossy(&packet.payload).into(),
            pulse: Some(io.now),
        });
        self.reach = self.reach.max(offset);
    }

    fn pulse_later(&mut self, io: &mut Io<'_>) {
        let spread = Duration::from_millis(io.random(SPREAD));
        self.next_pulse = Some(io.now + EVERY + spread);
    }

    /// Looks, or writes a pulse, where that is due.
    pub(super) fn tick(&mut self, io: &mut Io<'_>, rooms: &Rooms) {
        if !io.connected {
            return;
        }
        if is_due(self.again, io.now) && self.looking.is_none() {
            self.look(io, rooms);
        }
        if self.epoch.is_some() && self.next_pulse.is_none_or(|at| at <= io.now) {
            self.pulse(io, rooms);
        }
    }

    fn pulse(&mut self, io: &mut Io<'_>, rooms: &Rooms) {
        self.pulse_later(io);
        if std::mem::replace(&mut self.pulsing, true) {
            return;
        }
        let (subject, reach) = (io.names.stored(Names::PULSE), self.reach(rooms));
        let id = io.random_id();
        let payload = format!("{:08x} {id:016x}", io.gateway);
        let headers = vec![("Nats-TTL", format!("{}s", KEPT.as_secs()))];
        let purpose = Purpose::Histories(Ask::Pulse(reach));
        io.request(subject, headers, payload, purpose, ANSWER);
    }

    /// Whether the stream has taken a pulse.
    pub(super) fn pulsed(&mut self, now: Instant, reach: u64, packet: &Packet) {
        self.pulsing = false;
        match stream::stored(packet) {
            Some(offset) => {
                self.took(now, offset, reach);
                if let Some((_, doubt)) = &mut self.doubt {
                    *doubt = Doubt::Late;
                    self.suspect(now);
                }
            }
            None => self.suspect(now),
        }
    }

    pub(super) fn unpulsed(&mut self, now: Instant) {
        self.pulsing = false;
        self.suspect(now);
    }

    /// The mark is there, or another one, or neither.
    pub(super) fn begun(&mut self, now: Instant) {
        self.again = Some(now);
    }

    /// The stream is not there: it is made.
    fn missing(&mut self, io: &mut Io<'_>) {
        io.out.push(Action::KeepStreams);
        self.again = Some(io.now + AGAIN * 5);
        if !std::mem::replace(&mut self.gone, true) {
            self.losses.gone += 1;
            tracing::error!(
                stream = io.names.rooms_stream(),
                "the stream of the rooms is not there, with all their histories; it is made anew, and sessions cannot recover what was in it"
            );
        }
    }
}

/// Marks the stream with a new epoch, unless somebody has since it was looked at.
fn begin(io: &mut Io<'_>, created: &str, after: u64) {
    let mark = EpochMark {
        epoch: format!("{:016x}", io.random_id()).into(),
        created: created.into(),
    };
    let headers = vec![
        (EXPECTED, after.to_string()),
        ("Nats-TTL", "never".to_owned()),
    ];
    let purpose = Purpose::Histories(Ask::Begin);
    let subject = io.names.stored(Names::EPOCH);
    io.request(subject, headers, mark.encode(), purpose, ANSWER);
}
