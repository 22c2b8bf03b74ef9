//! How far a tunnel's two directions have come, and what is due. No input, output or clock.

use std::time::Duration;

use sluice_codec::peer::Marks;
use thiserror::Error;
use tokio::time::Instant;

/// The most bytes of one direction that are under way: sent, and not written on at the other end.
pub(super) const WINDOW: u64 = 256 * 1024;

/// How long the other end may take to say that bytes have arrived, or to end its direction once
/// this one has.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long an acknowledgement may wait for bytes to travel with.
const DELAY: Duration = Duration::from_millis(500);

/// Why a tunnel cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Broken {
    #[error("bytes are missing, or there are more of them than may be")]
    Gap,
    #[error("what was not sent is acknowledged")]
    Impossible,
    #[error("bytes were not acknowledged in time")]
    Unanswered,
    #[error("one direction has ended, and the other one did not follow")]
    Lingers,
}

/// The state of one end.
#[derive(Debug, Default)]
pub(super) struct Flow {
    sent: u64,
    /// What the other end says of what was sent.
    there: Marks,
    /// What came from the other end.
    here: Marks,
    /// What the other end was told of that.
    told: Marks,
    ended_here: bool,
    ended_there: bool,
    answered_by: Option<Instant>,
    answer_by: Option<Instant>,
    end_by: Option<Instant>,
}

impl Flow {
    /// How many bytes may be sent now.
    pub(super) fn room(&self) -> usize {
        if self.ended_here {
            return 0;
        }
        (WINDOW - (self.sent - self.there.written)) as usize
    }

    /// Sends so many bytes: their offset, and the marks that go with them.
    pub(super) fn send(&mut self, bytes: usize, now: Instant) -> (u64, Marks) {
        let offset = self.sent;
        self.sent += bytes as u64;
        self.answered_by.get_or_insert(now + PATIENCE);
        (offset, self.tell())
    }

    /// Ends this direction: where it ends.
    pub(super) fn end(&mut self, now: Instant) -> u64 {
        self.ended_here = true;
        self.end_by.get_or_insert(now + PATIENCE);
        self.sent
    }

    /// Bytes came.
    pub(super) fn data(&mut self, offset: u64, bytes: usize, now: Instant) -> Result<(), Broken> {
        let end = self.here.received + bytes as u64;
        if self.ended_there || offset != self.here.received || end - self.here.written > WINDOW {
            return Err(Broken::Gap);
        }
        self.here.received = end;
        self.answer_by.get_or_insert(now + DELAY);
        Ok(())
    }

    /// The other direction has ended.
    pub(super) fn ended(&mut self, offset: u64, now: Instant) -> Result<(), Broken> {
        if offset != self.here.received {
            return Err(Broken::Gap);
        }
        self.ended_there = true;
        self.end_by.get_or_insert(now + PATIENCE);
        Ok(())
    }

    /// The other end says how far it has come. It may repeat itself, but not take anything back.
    pub(super) fn acknowledged(&mut self, marks: Marks, now: Instant) -> Result<(), Broken> {
        let forward = marks.received >= self.there.received && marks.written >= self.there.written;
        if !forward || marks.received > self.sent || marks.written > marks.received {
            return Err(Broken::Impossible);
        }
        if marks.received == self.sent {
            self.answered_by = None;
        } else if marks.received > self.there.received {
            self.answered_by = Some(now + PATIENCE);
        }
        self.there = marks;
        Ok(())
    }

    /// Bytes that came were written on.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.here.written += bytes as u64;
        self.answer_by.get_or_insert(now + DELAY);
    }

    /// An acknowledgement that must not wait: a good part of the window is free again, or the time
    /// is up.
    pub(super) fn answer(&mut self, now: Instant) -> Option<Marks> {
        let free = self.here.written - self.told.written >= WINDOW / 4;
        let due = self.answer_by.is_some_and(|by| by <= now);
        (free || due).then(|| self.tell())
    }

    fn tell(&mut self) -> Marks {
        self.answer_by = None;
        self.told = self.here;
        self.here
    }

    /// Why the tunnel has to end by now, if it has.
    pub(super) fn overdue(&self, now: Instant) -> Option<Broken> {
        let past = |by: Option<Instant>| by.is_some_and(|by| by <= now);
        if past(self.answered_by) {
            Some(Broken::Unanswered)
        } else {
            past(self.end_by).then_some(Broken::Lingers)
        }
    }

    /// When there is something to do although nothing happens.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let times = [self.answered_by, self.answer_by, self.end_by];
        times.into_iter().flatten().min()
    }

    pub(super) fn has_ended_here(&self) -> bool {
        self.ended_here
    }

    /// Whether everything that will ever come has been written on.
    pub(super) fn has_all(&self) -> bool {
        self.ended_there && self.here.written == self.here.received
    }
}

#[cfg(test)]
mod tests;
