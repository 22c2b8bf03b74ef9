//! Whether messages have gone from the stream while this gateway heard nothing of it: by how many
//! there are of those that were stored meanwhile, in all rooms.

use std::time::Instant;

use super::AGAIN;
use crate::{
    Packet,
    core::{
        histories::{
            ask::{Ask, ask},
            rooms::Rooms,
            stream::{self, Got},
        },
        io::Io,
        patience::is_due,
    },
};

/// What is known of the messages that were stored meanwhile.
#[derive(Debug, Default)]
pub(super) struct Expired {
    /// When something was last heard of the stream before this gateway lost sight of it.
    heard: Option<Instant>,
    /// They are after this offset, up to the other one.
    range: (u64, u64),
    /// How many messages there are from their first one on.
    all: Option<u64>,
    /// How many of them have gone, once that is known.
    gone: Option<u64>,
    /// When it is asked; none while an answer is awaited.
    again: Option<Instant>,
    /// Answers to other questions are from before.
    question: u64,
}

impl Expired {
    /// The stream is out of sight; something was last heard of it then.
    pub(super) fn lose_sight(&mut self, heard: Option<Instant>) {
        self.heard = self.heard.or(heard);
    }

    /// Begins to count what was stored after one offset, up to another.
    pub(super) fn begin(&mut self, io: &mut Io<'_>, range: (u64, u64)) {
        (self.range, self.all, self.again) = (range, None, None);
        self.gone = (self.heard.is_none() || range.0 >= range.1).then_some(0);
        if self.gone.is_none() {
            self.ask(io);
        }
    }

    /// Whether it is known.
    pub(super) fn is_known(&self) -> bool {
        self.gone.is_some()
    }

    fn ask(&mut self, io: &mut Io<'_>) {
        self.again = None;
        self.question += 1;
        // What is stored between the two questions counts with the second one only: it may look
        // as if some had gone that have not, and never the other way round.
        let after = self.all.map_or(self.range.0, |_| self.range.1);
        let body = stream::from_offset(&io.names.all_stored(), after + 1, 1);
        let purpose = Ask::Expired(self.question);
        ask(io, stream::batch_subject(io.names), body, purpose);
    }

    /// Asks again where that is due.
    pub(super) fn ask_due(&mut self, io: &mut Io<'_>) {
        if !self.is_known() && is_due(self.again, io.now) {
            self.ask(io);
        }
    }

    /// How many messages there are.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        (request, question): (u64, u64),
        packet: &Packet,
    ) {
        io.requests.close(request);
        if self.is_known() || question != self.question {
            return;
        }
        let count = match stream::got(io.names, packet, io.now) {
            Got::Message(_) | Got::Unread(..) => stream::pending(packet) + 1,
            Got::Nothing => 0,
            Got::End | Got::Unavailable | Got::Refused => return self.unanswered(io, question),
        };
        match self.all {
            None => {
                self.all = Some(count);
                self.ask(io);
            }
            Some(all) => {
                let stored = self.range.1 - self.range.0;
                self.gone = Some(stored.saturating_sub(all.saturating_sub(count)));
            }
        }
    }

    /// An answer does not come, or did not help.
    pub(super) fn unanswered(&mut self, io: &Io<'_>, question: u64) {
        if question == self.question {
            self.again = Some(io.now + AGAIN);
        }
    }

    /// All else was read: rooms that may have lost some are told.
    pub(super) fn tell(&mut self, io: &Io<'_>, rooms: &mut Rooms) {
        if let (Some(heard), Some(1..)) = (self.heard.take(), self.gone.take()) {
            let away = io.now.saturating_duration_since(heard);
            rooms.lose_expired(io, away, self.range.1);
        }
    }
}
