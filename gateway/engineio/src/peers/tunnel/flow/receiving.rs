//! What one end gets: each byte once and in its order, whatever the way does.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use sluice_codec::peer::Marks;
use tokio::time::Instant;

use super::{Broken, Feedback, WINDOW};

/// How long an acknowledgement may wait for bytes to travel with.
const DELAY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Receiving {
    received: u64,
    written: u64,
    ended: bool,
    shut: bool,
    /// What the other end was told.
    told: Marks,
    /// When it is to be told more.
    due: Option<Instant>,
    /// It was told that something is missing since `received`, and until when that is enough.
    complained: Option<(u64, Instant)>,
    complains: bool,
}

impl Receiving {
    pub(super) fn data(
        &mut self,
        offset: u64,
        mut bytes: Bytes,
        now: Instant,
    ) -> Result<Bytes, Broken> {
        let end = offset.checked_add(bytes.len() as u64);
        let end = end.filter(|end| end.saturating_sub(self.written) <= WINDOW);
        let end = end.ok_or(Broken::Excess)?;
        if offset > self.received {
            self.complain(now);
            return Ok(Bytes::new());
        }
        if end <= self.received {
            // It does not know that they have arrived, or asks.
            self.due = Some(now);
            return Ok(Bytes::new());
        }
        if self.ended {
            return Err(Broken::Excess);
        }
        bytes.advance((self.received - offset) as usize);
        self.received = end;
        self.due.get_or_insert(now + DELAY);
        Ok(bytes)
    }

    pub(super) fn ended(&mut self, offset: u64, now: Instant) -> Result<(), Broken> {
        if offset < self.received {
            return Err(Broken::Excess);
        }
        if offset > self.received {
            self.complain(now);
            return Ok(());
        }
        self.ended = true;
        self.due = Some(now);
        Ok(())
    }

    /// Says once that something is missing, and again only when it should have come.
    fn complain(&mut self, now: Instant) {
        let again = self
            .complained
            .is_none_or(|(since, until)| since != self.received || until <= now);
        if again {
            self.complained = Some((self.received, now + DELAY));
            self.complains = true;
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn has_all(&self) -> bool {
        self.ended && self.written == self.received
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut
    }

    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.written += bytes as u64;
        self.due.get_or_insert(now + DELAY);
    }

    pub(super) fn shut(&mut self, now: Instant) {
        self.shut = true;
        self.due = Some(now);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Something is missing, a good part of the window is free again, or the time is up.
    pub(super) fn feedback(&mut self, now: Instant) -> Option<Feedback> {
        if std::mem::take(&mut self.complains) {
            return Some(Feedback::Missing(self.tell()));
        }
        let free = self.written.saturating_sub(self.told.written) >= WINDOW / 4;
        let due = self.due.is_some_and(|due| due <= now);
        (free || due).then(|| Feedback::Ack(self.tell()))
    }

    /// The marks, which are told with this.
    pub(super) fn tell(&mut self) -> Marks {
        self.due = None;
        self.told = Marks {
            received: self.received + u64::from(self.ended),
            written: self.written + u64::from(self.shut),
        };
        self.told
    }
}
