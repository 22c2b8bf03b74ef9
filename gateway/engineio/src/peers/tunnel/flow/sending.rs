//! What one end sends, kept until it has arrived.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use sluice_codec::peer::Marks;
use tokio::time::Instant;

use super::{Broken, Frame, WINDOW};

/// The most bytes of a frame.
const FRAME: usize = 16 * 1024;

/// As much is sent again before the other end has answered.
const BURST: u64 = WINDOW / 4;

/// How long an answer may take at first. It may wait for bytes to travel with.
const FIRST: Duration = Duration::from_secs(1);

/// How long at most, after it did not come.
const LONGEST: Duration = Duration::from_secs(4);

#[derive(Debug, Default)]
pub(super) struct Sending {
    /// What was taken and has not arrived.
    kept: BytesMut,
    /// How many bytes were ever taken.
    taken: u64,
    ended: bool,
    /// How far the other end has come.
    there: Marks,
    /// Where the next frame begins.
    next: u64,
    /// Up to where frames were sent that are sent again.
    again: u64,
    /// The other end is to be asked whether it is there.
    asks: bool,
    /// How often in a row there was no answer.
    failures: u32,
    due: Option<Instant>,
    sent_again: u64,
}

impl Sending {
    pub(super) fn room(&self) -> usize {
        let under_way = self.taken.saturating_sub(self.there.written);
        if self.ended {
            0
        } else {
            WINDOW.saturating_sub(under_way) as usize
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        self.taken += bytes.len() as u64;
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn sent_again(&self) -> u64 {
        self.sent_again
    }

    #[cfg(test)]
    pub(super) fn keeps(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.there.received > self.taken
    }

    /// Nobody will say any more that the end has arrived. False if it was not sent.
    pub(super) fn settle(&mut self) -> bool {
        let sent = self.ended && self.next.max(self.again) > self.taken;
        if sent {
            *self = Self {
                ended: true,
                taken: self.taken,
                next: self.taken + 1,
                sent_again: self.sent_again,
                there: Marks {
                    received: self.taken + 1,
                    written: self.taken + 1,
                },
                ..Self::default()
            };
        }
        sent
    }

    pub(super) fn next(&mut self, now: Instant) -> Option<Frame> {
        let bytes = self.next_bytes();
        let again = self.next < self.again;
        let frame = if !bytes.is_empty() {
            let offset = self.next;
            self.next += bytes.len() as u64;
            Frame::Data(offset, bytes)
        } else if self.ended && self.next == self.taken {
            self.next += 1;
            Frame::Fin(self.taken)
        } else if self.asks {
            Frame::Data(self.next.min(self.taken), bytes)
        } else {
            return None;
        };
        self.asks = false;
        self.sent_again += u64::from(again);
        self.due.get_or_insert(now + self.patience());
        Some(frame)
    }

    /// The bytes of the next frame, if it may have any.
    fn next_bytes(&self) -> Bytes {
        let ahead = self.next - self.there.received;
        if self.next < self.again && ahead >= BURST {
            return Bytes::new();
        }
        let rest = self.kept.get(ahead as usize..).unwrap_or_default();
        Bytes::copy_from_slice(&rest[..rest.len().min(FRAME)])
    }

    pub(super) fn acknowledged(&mut self, marks: Marks, now: Instant) -> Result<(), Broken> {
        let sent = self.next.max(self.again);
        if marks.received > sent || marks.written > marks.received {
            return Err(Broken::Impossible);
        }
        let arrived = marks.received.saturating_sub(self.there.received);
        let progress = arrived > 0 || marks.written > self.there.written;
        self.forget(arrived);
        self.there.received += arrived;
        self.there.written = self.there.written.max(marks.written);
        self.next = self.next.max(self.there.received);
        if progress {
            self.failures = 0;
        }
        if progress || !self.waits() {
            self.due = self.waits().then(|| now + self.patience());
        }
        Ok(())
    }

    pub(super) fn missing(&mut self, marks: Marks, now: Instant) -> Result<(), Broken> {
        // One that comes late speaks of what has arrived since.
        let late = marks.received < self.there.received;
        self.acknowledged(marks, now)?;
        if !late {
            self.go_back();
        }
        Ok(())
    }

    pub(super) fn remind(&mut self) {
        self.failures = 0;
        self.ask();
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.failures = self.failures.saturating_add(1);
            self.ask();
        }
    }

    fn ask(&mut self) {
        self.due = None;
        self.asks = true;
        self.go_back();
    }

    fn go_back(&mut self) {
        self.again = self.again.max(self.next);
        self.next = self.there.received;
    }

    /// Whether the other end has something to say: that all has arrived, or that there is room.
    fn waits(&self) -> bool {
        self.there.received < self.next.max(self.again) || (!self.ended && self.room() == 0)
    }

    fn patience(&self) -> Duration {
        let longer = FIRST.saturating_mul(2_u32.saturating_pow(self.failures));
        longer.min(LONGEST)
    }

    fn forget(&mut self, arrived: u64) {
        // The end of a direction is no byte.
        let bytes = self.kept.len().min(arrived as usize);
        self.kept.advance(bytes);
        if self.kept.is_empty() {
            self.kept = BytesMut::new();
        }
    }
}
