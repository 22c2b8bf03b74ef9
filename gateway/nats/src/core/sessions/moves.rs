//! Sessions of this gateway that another one took over, because this one did not answer.
//!
//! It put an end mark in the place of what was stored here. The mark is heard where the link is
//! there, else it is found when the link is there again, or at the latest when something is to be
//! stored in its place. What was left of the session here must not be recovered: it has gone on
//! elsewhere.

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_backbone::BackboneEvent;
use sluice_contract::{GatewayNumber, Subject};
use sluice_rooms::SessionId;

use super::{
    ANSWER, Ask, Io, Sessions,
    stored::{self, Last},
    subject,
};
use crate::{Packet, core::Purpose};

/// The most entries of one answer.
const BATCH: u64 = 1_000;

/// How long after a first look there is a second one: a replica may have been behind.
const AGAIN: Duration = Duration::from_secs(2);

/// How long a mark may be on its way before it is heard.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// How far the marks are known.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// What was stored here last: now, and at the last two turns.
    newest: u64,
    settled: u64,
    older: u64,
    turned: Option<Instant>,
    /// Entries are being read, and are read up to here.
    reading: Option<u64>,
    again: Option<Instant>,
    second: bool,
    /// All marks are known that were put while the link was lost.
    found_all: bool,
}

impl Moves {
    /// Something of this gateway was stored.
    pub(super) fn stored(&mut self, sequence: u64) {
        self.newest = self.newest.max(sequence);
    }

    /// Whether it is known which sessions were taken over while the link was lost.
    pub(super) fn is_settled(&self) -> bool {
        self.found_all
    }

    fn turn(&mut self, now: Instant) {
        if self.turned.is_none_or(|at| at <= now) {
            self.older = self.settled;
            self.settled = self.newest;
            self.turned = Some(now + ON_ITS_WAY);
        }
    }
}

impl Sessions {
    /// Somebody wants to put something in the place of a session of this gateway. Whether it is
    /// there the leader knows at once, and a replica later.
    pub(crate) fn overwritten(&mut self, io: &mut Io<'_>, session: &str) {
        let session = SessionId::parse(session);
        if let Some(session) = session.filter(|session| self.own.contains_key(session)) {
            Self::check(io, session);
        }
    }

    /// The leader has not said it: it is looked for.
    pub(super) fn unchecked(&mut self, io: &mut Io<'_>, session: SessionId) {
        self.unconfirmed(io, session);
        if self.moves.reading.is_none() {
            self.look_for_marks(io);
        }
    }

    /// The link is there: what was put meanwhile is looked for.
    pub(super) fn look_for_marks(&mut self, io: &mut Io<'_>) {
        (self.moves.second, self.moves.found_all) = (false, self.own.is_empty());
        if !self.own.is_empty() {
            self.read_marks(io, self.moves.older);
        }
    }

    fn read_marks(&mut self, io: &mut Io<'_>, after: u64) {
        (self.moves.reading, self.moves.again) = (Some(after), None);
        let own = io.names.sessions_of(GatewayNumber(io.gateway));
        let to = format!("$JS.API.DIRECT.GET.{}", io.names.sessions_stream());
        let body = json!({"seq": after + 1, "next_by_subj": own, "batch": BATCH});
        let purpose = Purpose::Sessions(Ask::Marks);
        io.request(to, Vec::new(), body.to_string(), purpose, ANSWER);
    }

    pub(super) fn marks_came(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        match packet.headers.status() {
            None => self.entry_came(io, packet),
            Some(204) if packet.headers.number("Nats-Num-Pending").unwrap_or(0) > 0 => {
                io.requests.close(request);
                self.read_marks(io, self.moves.reading.unwrap_or(0));
            }
            Some(204 | 404) => {
                io.requests.close(request);
                self.marks_read(io);
            }
            Some(_) => {
                io.requests.close(request);
                self.marks_unread(io);
            }
        }
    }

    fn entry_came(&mut self, io: &Io<'_>, packet: &Packet) {
        let (Some(reading), Some(sequence)) = (
            &mut self.moves.reading,
            packet.headers.number("Nats-Sequence"),
        ) else {
            return;
        };
        *reading = sequence.max(*reading);
        let subject = packet.headers.get("Nats-Subject");
        let session = subject.and_then(|subject| session(io, subject));
        let Some(session) = session.filter(|_| !stored::is_session(&packet.payload)) else {
            return;
        };
        // A replica may not have yet what was stored here since: the session has come back.
        let since = self.own.get(&session).map_or(0, |own| own.sequence);
        if since < sequence {
            self.moved_away(io, session);
        }
    }

    pub(super) fn moved_away(&mut self, io: &Io<'_>, session: SessionId) {
        if let Some(own) = self.own.remove(&session) {
            self.unkept.remove(&own.number);
            for worker in 0..io.workers.count() {
                io.workers.deliver(worker, BackboneEvent::Moved(session));
            }
        }
    }

    /// Something else stands where a session was to be stored: asks the leader what.
    pub(super) fn check(io: &mut Io<'_>, session: SessionId) {
        let own = subject(io, io.gateway, session);
        let to = format!("$JS.API.STREAM.MSG.GET.{}", io.names.sessions_stream());
        let body = json!({"last_by_subj": own}).to_string();
        let purpose = Purpose::Sessions(Ask::Check(session));
        io.request(to, Vec::new(), body, purpose, ANSWER);
    }

    pub(super) fn checked(&mut self, io: &mut Io<'_>, session: SessionId, packet: &Packet) {
        let sequence = match stored::last(packet) {
            // An acknowledgement was lost: it is stored over that.
            Last::Session(sequence, _) => sequence,
            Last::Ended(_) | Last::Newer => {
                self.moved_away(io, session);
                return self.confirmed(io, session);
            }
            // Either it was never there, or its entry is gone, perhaps with a mark that followed it.
            Last::Nothing => match self.own.get_mut(&session) {
                Some(own) if own.sequence > 0 => {
                    own.vanished = true;
                    return self.look_for(io, session);
                }
                _ => 0,
            },
            Last::Unavailable => return self.unchecked(io, session),
        };
        if let Some(own) = self.own.get_mut(&session) {
            own.sequence = sequence;
        }
        self.confirmed(io, session);
    }

    fn marks_read(&mut self, io: &Io<'_>) {
        self.moves.reading = None;
        if std::mem::replace(&mut self.moves.second, true) {
            self.moves.found_all = true;
        } else {
            self.moves.again = Some(io.now + AGAIN);
        }
    }

    /// It has to be read, so it is asked for again.
    pub(super) fn marks_unread(&mut self, io: &Io<'_>) {
        self.moves.again = Some(io.now + ANSWER / 4);
    }

    pub(super) fn marks_if_due(&mut self, io: &mut Io<'_>) {
        self.moves.turn(io.now);
        if io.connected && self.moves.again.is_some_and(|at| at <= io.now) {
            self.read_marks(io, self.moves.older);
        }
    }
}

/// Which session is stored under a subject.
fn session(io: &Io<'_>, subject: &str) -> Option<SessionId> {
    match io.names.parse(subject)? {
        Subject::Session(_, session) => SessionId::parse(session),
        _ => None,
    }
}
