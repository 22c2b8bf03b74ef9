//! Sessions of this gateway that another one has stored since, found where its end marks are gone.
//!
//! Marks tell of what happened lately: they are kept for some minutes, and go with the rest of a
//! gateway that is long missing. After a longer absence the other gateways' own entries of each
//! session are asked for, which are there for as long as these have the sessions.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::json;
use sluice_contract::Subject;
use sluice_rooms::SessionId;

use super::{ANSWER, Ask, Io, Own, Sessions, stored};
use crate::{Packet, core::Purpose};

/// The longest absence after which every mark is still there. Gateways of 0.1.0 have NATS keep
/// marks for a minute.
pub(super) const SHORT: Duration = Duration::from_secs(30);

/// How many sessions one question is about: NATS names 1,024 entries at most.
const AT_ONCE: usize = 256;

/// Which sessions are looked for at other gateways.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    waiting: VecDeque<SessionId>,
    asked: Vec<SessionId>,
    again: Option<Instant>,
    /// When this gateway could have heard of marks last, by both clocks: one of them may stand
    /// still while the machine does.
    present: Option<(Instant, u64)>,
}

impl Elsewhere {
    /// Whether nothing is looked for.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.asked.is_empty()
    }

    /// Marks are heard now. Whether there may have been some that are gone.
    fn note_present(&mut self, io: &Io<'_>) -> bool {
        let before = self.present.replace((io.now, io.time));
        before.is_some_and(|(now, time)| {
            let passed = io.now.saturating_duration_since(now);
            passed.max(Duration::from_millis(io.time.saturating_sub(time))) > SHORT
        })
    }
}

impl Sessions {
    /// To be called as long as the link is there: after a long absence all sessions are looked for.
    pub(super) fn note_present(&mut self, io: &mut Io<'_>) {
        if !self.elsewhere.note_present(io) {
            return;
        }
        let stored = self.own.iter().filter(|(_, own)| own.sequence > 0);
        self.elsewhere.waiting = stored.map(|(session, _)| *session).collect();
        self.look_elsewhere(io);
    }

    /// What stood in the place of a session is gone: its entry or its mark.
    pub(super) fn look_for(&mut self, io: &mut Io<'_>, session: SessionId) {
        let elsewhere = &mut self.elsewhere;
        if !elsewhere.waiting.contains(&session) && !elsewhere.asked.contains(&session) {
            elsewhere.waiting.push_front(session);
        }
        self.look_elsewhere(io);
    }

    fn look_elsewhere(&mut self, io: &mut Io<'_>) {
        let elsewhere = &mut self.elsewhere;
        if !io.connected || !elsewhere.asked.is_empty() {
            return;
        }
        let count = elsewhere.waiting.len().min(AT_ONCE);
        elsewhere.asked.extend(elsewhere.waiting.drain(..count));
        self.ask_elsewhere(io);
    }

    fn ask_elsewhere(&mut self, io: &mut Io<'_>) {
        self.elsewhere.again = None;
        let asked = self.elsewhere.asked.iter();
        let subjects: Vec<_> = asked
            .map(|session| io.names.session_anywhere(*session))
            .collect();
        if subjects.is_empty() {
            return;
        }
        let to = format!("$JS.API.DIRECT.GET.{}", io.names.sessions_stream());
        let body = json!({"multi_last": subjects}).to_string();
        let purpose = Purpose::Sessions(Ask::Elsewhere);
        io.request(to, Vec::new(), body, purpose, ANSWER);
    }

    pub(super) fn elsewhere_came(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        match packet.headers.status() {
            None => self.entry_elsewhere(io, packet),
            Some(204 | 404) => {
                io.requests.close(request);
                self.looked_elsewhere(io);
            }
            Some(_) => {
                io.requests.close(request);
                self.elsewhere_later(io);
            }
        }
    }

    fn entry_elsewhere(&mut self, io: &Io<'_>, packet: &Packet) {
        let subject = packet.headers.get("Nats-Subject");
        let Some(Subject::Session(gateway, session)) = subject.and_then(|it| io.names.parse(it))
        else {
            return;
        };
        let session = SessionId::parse(session);
        let own = session.and_then(|session| Some((session, self.own.get(&session)?.sequence)));
        let sequence = packet.headers.number("Nats-Sequence").unwrap_or(0);
        if let Some((session, own)) = own
            && gateway.0 != io.gateway
            && own < sequence
            && stored::is_session(&packet.payload)
        {
            self.moved_away(io, session);
        }
    }

    /// What is still this gateway's is stored anew where its entry is gone.
    fn looked_elsewhere(&mut self, io: &mut Io<'_>) {
        for session in std::mem::take(&mut self.elsewhere.asked) {
            if let Some(own) = self.own.get_mut(&session)
                && own.vanished
            {
                *own = Own {
                    sequence: 0,
                    vanished: false,
                    ..*own
                };
            }
            self.confirmed(io, session);
        }
        self.look_elsewhere(io);
    }

    /// It has to be known, so it is asked for again.
    pub(super) fn elsewhere_later(&mut self, io: &Io<'_>) {
        self.elsewhere.again = Some(io.now + ANSWER / 4);
    }

    pub(super) fn look_elsewhere_if_due(&mut self, io: &mut Io<'_>) {
        if io.connected && self.elsewhere.again.is_some_and(|at| at <= io.now) {
            self.ask_elsewhere(io);
        }
    }
}
