//! The stream of bytes between this gateway and one instance: what was sent and has not arrived is
//! sent again, and what comes is given on once and in its order. No input, output or clock.

mod receiving;
mod sending;

use std::time::Instant;

use bytes::Bytes;
use sluice_contract::application::{Frame, FrameKind};

pub(crate) use self::sending::Unsent;
use self::{receiving::Receiving, sending::Sending};

/// How much may be under way: sent, and not acknowledged.
pub(crate) const WINDOW: usize = 1024 * 1024;

/// A frame to be sent: its first line's numbers, and its payload in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToSend {
    /// What it is.
    pub kind: FrameKind,
    /// The number of the frame, or of the last one that had data; and what was taken.
    pub numbers: (u64, u64),
    /// The next piece of the stream.
    pub payload: Vec<u8>,
}

/// One end of a stream. An instance's end is made as a gateway's is.
#[derive(Debug, Default)]
pub struct Stream {
    sending: Sending,
    receiving: Receiving,
}

impl Stream {
    /// Has an entry sent behind what waits. `tag` is given back with what did not arrive.
    pub fn put(&mut self, tag: u64, entry: Bytes) {
        self.sending.put(tag, entry);
    }

    /// How many bytes wait to be sent, or to arrive.
    pub(crate) fn held(&self) -> usize {
        self.sending.held()
    }

    /// What comes next, if anything may be sent now: at most `most` bytes of payload.
    pub fn next(&mut self, now: Instant, most: usize) -> Option<ToSend> {
        if let Some((seq, payload)) = self.data(now, most) {
            return Some(ToSend {
                kind: FrameKind::Data,
                numbers: (seq, self.receiving.tell()),
                payload,
            });
        }
        let kind = self.receiving.feedback(now)?;
        Some(ToSend {
            kind,
            numbers: (self.sending.last(), self.receiving.tell()),
            payload: Vec::new(),
        })
    }

    /// The next piece of the stream. A complaint goes first, since data does not say it.
    fn data(&mut self, now: Instant, most: usize) -> Option<(u64, Vec<u8>)> {
        let sending = (!self.receiving.complains()).then_some(&mut self.sending)?;
        sending.next(now, most)
    }

    /// A frame of the other end came: the piece of its stream that is new.
    pub fn take(&mut self, frame: &Frame<'_>, now: Instant) -> Option<Bytes> {
        match frame.kind {
            FrameKind::Data => {
                self.sending.acknowledged(frame.taken, now);
                let new = self.receiving.data(frame.seq, frame.payload.len(), now);
                new.then(|| frame.payload.clone())
            }
            FrameKind::Acknowledge => {
                self.sending.acknowledged(frame.taken, now);
                self.receiving.sent(frame.seq, now);
                None
            }
            FrameKind::Missing => {
                self.sending.missing(frame.taken, now);
                self.receiving.sent(frame.seq, now);
                None
            }
            FrameKind::Reset => None,
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        self.sending.tick(now);
    }

    /// The connection was lost for a moment: what is under way may be lost with it.
    pub fn remind(&mut self) {
        self.sending.remind();
    }

    /// Ends it: the entries that had not arrived whole, with their tags, in their order.
    pub(crate) fn unsent(&mut self) -> Vec<Unsent> {
        self.sending.unsent()
    }

    /// How many frames were sent again so far.
    pub(crate) fn sent_again(&self) -> u64 {
        self.sending.sent_again()
    }
}

#[cfg(test)]
mod tests;
