//! What one end sends, kept until it has arrived.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::WINDOW;

/// How much is sent again before the other end has answered.
const BURST: usize = 64 * 1024;

/// How long an acknowledgement may take at first, and at most after it did not come.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));

/// An entry that did not arrive whole, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsent {
    pub(crate) tag: u64,
    pub(crate) entry: Bytes,
    /// Whether all of it was sent, so that the other end may have it.
    pub(crate) sent: bool,
}

#[derive(Debug)]
struct Kept {
    /// Where it ends among all bytes ever put.
    end: u64,
    tag: u64,
    entry: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Sending {
    /// Entries of which not all bytes have arrived.
    entries: VecDeque<Kept>,
    /// Where each frame ends that has not arrived; the first has the number `arrived + 1`.
    frames: VecDeque<u64>,
    /// The number of the last frame that has arrived.
    arrived: u64,
    /// Up to where bytes have arrived, were cut into frames, and were put.
    arrived_to: u64,
    framed_to: u64,
    put_to: u64,
    /// How many of `frames` were sent since the last time that all were to be sent again.
    sent: usize,
    /// How many of them are sent again.
    again: usize,
    failures: u32,
    due: Option<Instant>,
    sent_again: u64,
}

impl Sending {
    pub(super) fn put(&mut self, tag: u64, entry: Bytes) {
        self.put_to += entry.len() as u64;
        self.entries.push_back(Kept {
            end: self.put_to,
            tag,
            entry,
        });
    }

    pub(super) fn held(&self) -> usize {
        (self.put_to - self.arrived_to) as usize
    }

    pub(super) fn sent_again(&self) -> u64 {
        self.sent_again
    }

    /// The number of the last frame that was sent.
    pub(super) fn last(&self) -> u64 {
        self.arrived + self.frames.len() as u64
    }

    pub(super) fn next(&mut self, now: Instant, most: usize) -> Option<(u64, Vec<u8>)> {
        let from = self
            .sent
            .checked_sub(1)
            .map_or(self.arrived_to, |last| self.frames[last]);
        let again = self.sent < self.frames.len();
        let to = if again {
            let ahead = (from - self.arrived_to) as usize;
            if self.sent > 0 && self.sent < self.again && ahead >= BURST {
                return None;
            }
            self.frames[self.sent]
        } else {
            let room = WINDOW.saturating_sub((self.framed_to - self.arrived_to) as usize);
            let to = self.put_to.min(from + most.min(room) as u64);
            if to == from {
                return None;
            }
            self.frames.push_back(to);
            self.framed_to = to;
            to
        };
        self.sent += 1;
        self.sent_again += u64::from(again);
        self.due.get_or_insert(now + self.patience());
        Some((self.arrived + self.sent as u64, self.bytes(from, to)))
    }

    fn bytes(&self, from: u64, to: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity((to - from) as usize);
        let first = self.entries.partition_point(|kept| kept.end <= from);
        for kept in self.entries.range(first..) {
            let begin = kept.end - kept.entry.len() as u64;
            if begin >= to {
                break;
            }
            let (skip, until) = (from.saturating_sub(begin), to.min(kept.end) - begin);
            out.extend_from_slice(&kept.entry[skip as usize..until as usize]);
        }
        out
    }

    /// The other end has taken all up to that frame. What it said before may come later.
    pub(super) fn acknowledged(&mut self, taken: u64, now: Instant) {
        // One that says more than was sent is not believed.
        let news = taken
            .saturating_sub(self.arrived)
            .min(self.frames.len() as u64) as usize;
        if news == 0 {
            return;
        }
        self.arrived += news as u64;
        for end in self.frames.drain(..news) {
            self.arrived_to = end;
        }
        self.sent = self.sent.saturating_sub(news);
        self.again = self.again.saturating_sub(news);
        let arrived_to = self.arrived_to;
        while self
            .entries
            .front()
            .is_some_and(|kept| kept.end <= arrived_to)
        {
            self.entries.pop_front();
        }
        self.failures = 0;
        self.due = (!self.frames.is_empty()).then(|| now + self.patience());
    }

    /// What comes after that frame did not arrive.
    pub(super) fn missing(&mut self, taken: u64, now: Instant) {
        let late = taken < self.arrived;
        self.acknowledged(taken, now);
        if !late {
            self.go_back();
        }
    }

    pub(super) fn remind(&mut self) {
        self.failures = 0;
        self.due = None;
        self.go_back();
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.failures = self.failures.saturating_add(1);
            self.due = None;
            self.go_back();
        }
    }

    fn go_back(&mut self) {
        self.again = self.frames.len();
        self.sent = 0;
    }

    fn patience(&self) -> Duration {
        let (first, longest) = PATIENCE;
        first
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(longest)
    }

    pub(super) fn unsent(&mut self) -> Vec<Unsent> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        let framed_to = std::mem::take(self).framed_to;
        entries
            .map(|Kept { end, tag, entry }| Unsent {
                tag,
                entry,
                sent: end <= framed_to,
            })
            .collect()
    }
}
