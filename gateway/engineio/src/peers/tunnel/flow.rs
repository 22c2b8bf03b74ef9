//! How far a tunnel's two directions have come, what has to be sent, once or again, and what is
//! due. No input, output or clock.

mod receiving;
mod sending;

use std::time::Duration;

use bytes::Bytes;
use sluice_codec::peer::Marks;
use thiserror::Error;
use tokio::time::Instant;

use self::{receiving::Receiving, sending::Sending};

/// The most bytes of one direction that are under way: taken, and not written on at the other end.
/// So many are kept until they have arrived.
pub(super) const WINDOW: u64 = 256 * 1024;

/// How long one direction may go on after the other one has ended.
pub(super) const LINGER: Duration = Duration::from_secs(10);

/// Why a tunnel cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Broken {
    #[error("there are more bytes than may be")]
    Excess,
    #[error("what was not sent is acknowledged")]
    Impossible,
    #[error("one direction has ended, and the other one did not follow")]
    Lingers,
}

/// What is to be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// These bytes, which begin there. None of them ask whether the other end is there.
    Data(u64, Bytes),
    /// The end of this direction.
    Fin(u64),
}

/// What the other end is to be told of its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feedback {
    /// How far it has come.
    Ack(Marks),
    /// As much, and that the rest is to be sent again.
    Missing(Marks),
}

/// The state of one end.
#[derive(Debug, Default)]
pub(super) struct Flow {
    sending: Sending,
    receiving: Receiving,
    end_by: Option<Instant>,
}

impl Flow {
    /// How many bytes may be taken now.
    pub(super) fn room(&self) -> usize {
        self.sending.room()
    }

    /// Takes bytes to send.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.sending.take(bytes);
    }

    /// Nothing more will be taken.
    pub(super) fn end(&mut self, now: Instant) {
        self.sending.end();
        self.end_by.get_or_insert(now + LINGER);
    }

    /// What is to be sent next, if there is anything, and the marks that go with it.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Frame, Marks)> {
        let frame = self.sending.next(now)?;
        let marks = match frame {
            Frame::Data(..) => self.receiving.tell(),
            // No marks go with it.
            Frame::Fin(_) => Marks::default(),
        };
        Some((frame, marks))
    }

    /// How many frames were sent again so far.
    pub(super) fn sent_again(&self) -> u64 {
        self.sending.sent_again()
    }

    /// Bytes came: those of them that are new.
    pub(super) fn data(
        &mut self,
        offset: u64,
        bytes: Bytes,
        now: Instant,
    ) -> Result<Bytes, Broken> {
        self.receiving.data(offset, bytes, now)
    }

    /// The other direction has ended there.
    pub(super) fn ended(&mut self, offset: u64, now: Instant) -> Result<(), Broken> {
        self.receiving.ended(offset, now)?;
        if self.receiving.has_ended() {
            self.end_by.get_or_insert(now + LINGER);
        }
        Ok(())
    }

    /// The other end says how far it has come. What it said before may come later.
    pub(super) fn acknowledged(&mut self, marks: Marks, now: Instant) -> Result<(), Broken> {
        self.sending.acknowledged(marks, now)
    }

    /// As [`Self::acknowledged`], and the rest did not arrive.
    pub(super) fn missing(&mut self, marks: Marks, now: Instant) -> Result<(), Broken> {
        self.sending.missing(marks, now)
    }

    /// The other end was not heard for long, or could not be: what may be lost is sent again, and
    /// if nothing is, it is asked whether it is there.
    pub(super) fn remind(&mut self) {
        self.sending.remind();
    }

    /// The other end is not there any more. Whether that is well, because it got to know the ends
    /// of both directions; then only what came is still to be written on.
    pub(super) fn settle(&mut self) -> bool {
        self.receiving.has_ended() && self.sending.settle()
    }

    /// Bytes that came were written on.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.receiving.wrote(bytes, now);
    }

    /// The other direction's end was passed on, too.
    pub(super) fn shut(&mut self, now: Instant) {
        self.receiving.shut(now);
    }

    /// What must not wait for bytes to travel with.
    pub(super) fn feedback(&mut self, now: Instant) -> Option<Feedback> {
        self.receiving.feedback(now)
    }

    /// Does what is due: asks again, or ends what lingers.
    pub(super) fn tick(&mut self, now: Instant) -> Result<(), Broken> {
        self.sending.tick(now);
        if self.end_by.is_some_and(|by| by <= now) {
            return Err(Broken::Lingers);
        }
        Ok(())
    }

    /// When there is something to do although nothing happens.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let times = [self.sending.due(), self.receiving.due(), self.end_by];
        times.into_iter().flatten().min()
    }

    #[cfg(test)]
    fn sending_keeps(&self) -> usize {
        self.sending.keeps()
    }

    /// Whether everything that will ever come has been written on.
    pub(super) fn has_all(&self) -> bool {
        self.receiving.has_all()
    }

    /// Whether both directions have ended, and the other end knows.
    pub(super) fn is_finished(&self) -> bool {
        self.sending.is_finished() && self.receiving.is_shut()
    }
}

#[cfg(test)]
mod tests;
