//! The decoder: bytes of a connection in, whole messages and control frames out.
#![allow(
    clippy::mut_mut,
    reason = "the caller's slice is advanced and its bytes are unmasked"
)]

use std::fmt;

use super::{
    Event, Opcode, Oversized,
    error::{ProtocolError, TOO_BIG},
    header::{self, Expect, Frame, LONGEST},
    mask,
    partial::{self, Bounds, Partial, Whole},
};

/// Reads what a client sends (RFC 6455; with `deflate`, RFC 7692 without context takeover).
///
/// A whole, unfragmented, uncompressed frame is handed out as a borrow of the input: no copy and
/// no allocation. Between messages the decoder owns no heap; while one is incomplete it owns what
/// has arrived of it, never what was only announced, and at most `max_message` bytes (about a
/// thousandth more for a compressed one, which may grow by that).
///
/// ```
/// use sluice_codec::ws::{Decoder, Event};
///
/// let mut decoder = Decoder::new(65536, false);
/// let mut read = *b"\x81\x82\x01\x02\x03\x04ik\x89\x80\x01\x02\x03\x04";
/// let mut input = &mut read[..];
/// assert_eq!(decoder.next(&mut input), Ok(Some(Event::Text("hi"))));
/// assert_eq!(decoder.next(&mut input), Ok(Some(Event::Ping(b""))));
/// assert_eq!(decoder.next(&mut input), Ok(None));
/// assert!(decoder.is_idle());
/// ```
pub struct Decoder {
    bounds: Bounds,
    deflate: bool,
    partial: Option<Box<Partial>>,
}

/// Where the next event's payload is.
enum Step<'a> {
    Input(Event<'a>),
    Kept(Opcode),
    /// The head of a message over the bound, with the message's length.
    KeptHead(Opcode, usize),
    Dry,
}

impl Decoder {
    /// A decoder that refuses messages over `max_message` bytes, fragments summed,
    /// compressed ones counted unpacked. `deflate` says whether permessage-deflate was agreed, with
    /// `client_no_context_takeover`.
    pub fn new(max_message: usize, deflate: bool) -> Self {
        Self {
            bounds: Bounds {
                message: max_message,
                skipped: 0,
            },
            deflate,
            partial: None,
        }
    }

    /// Passes over messages of up to `max_skipped` bytes that are over the bound, and hands out how
    /// they began, instead of failing. What is longer still fails.
    #[must_use]
    pub fn skipping(mut self, max_skipped: usize) -> Self {
        self.bounds.skipped = max_skipped;
        self
    }

    /// Changes the bound for frames whose header has not been read yet.
    pub fn set_max_message(&mut self, max: usize) {
        self.bounds.message = max;
    }

    /// Nothing is partial and no heap is held. The payload of the last event may count until the
    /// next call of [`Decoder::next`].
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Takes the next event out of `input`, which is advanced past what was used; payloads are
    /// unmasked in place. `None` means that all input was used and more is needed: call until
    /// then. After an error the decoder and the rest of the input are of no use.
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        if self
            .partial
            .as_mut()
            .is_some_and(|partial| partial.release())
        {
            self.partial = None;
        }
        match self.step(input)? {
            Step::Input(event) => Ok(Some(event)),
            Step::Kept(opcode) => Event::read(opcode, self.finished()).map(Some),
            Step::KeptHead(opcode, bytes) => Ok(Some(Event::Oversized(Oversized {
                is_text: opcode == Opcode::Text,
                head: self.finished(),
                bytes,
            }))),
            Step::Dry => Ok(None),
        }
    }

    fn finished(&self) -> &[u8] {
        self.partial
            .as_ref()
            .map_or(&[], |partial| partial.finished())
    }

    fn step<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Step<'a>, ProtocolError> {
        while let Some(mut frame) = self.frame(input)? {
            let payload = take(input, frame.left);
            mask::unmask(payload, frame.mask);
            if payload.len() == frame.left && frame.is_whole() {
                return self.whole(frame, payload);
            }
            frame.advance(payload.len());
            let partial = self.partial.get_or_insert_default();
            match partial.add(frame, payload, self.bounds) {
                Ok(Some(Whole::Read(opcode))) => return Ok(Step::Kept(opcode)),
                Ok(Some(Whole::Oversized(opcode, bytes))) => {
                    return Ok(Step::KeptHead(opcode, bytes));
                }
                Ok(None) => {}
                Err(error) => return Err(error),
            }
            if frame.left > 0 {
                break;
            }
        }
        Ok(Step::Dry)
    }

    fn whole<'a>(&mut self, frame: Frame, payload: &'a [u8]) -> Result<Step<'a>, ProtocolError> {
        if !frame.opcode.is_control() && payload.len() > self.bounds.of(frame.compressed) {
            return Ok(self.oversized(frame, payload));
        }
        if frame.compressed {
            let Some(inflated) = partial::unpack(payload, self.bounds)? else {
                return Ok(self.oversized(frame, payload));
            };
            self.partial.get_or_insert_default().finish(inflated);
            return Ok(Step::Kept(frame.opcode));
        }
        Event::read(frame.opcode, payload).map(Step::Input)
    }

    /// A message over the bound that came in one piece.
    fn oversized<'a>(&mut self, frame: Frame, payload: &[u8]) -> Step<'a> {
        let head = partial::head(payload, frame.compressed);
        self.partial.get_or_insert_default().finish(head);
        Step::KeptHead(frame.opcode, payload.len())
    }

    /// The frame that the input belongs to, its header taken off the input.
    fn frame(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, ProtocolError> {
        if let Some(frame) = self
            .partial
            .as_mut()
            .and_then(|partial| partial.frame.take())
        {
            return Ok(Some(frame));
        }
        let message = self.partial.as_ref().and_then(|partial| partial.message());
        let expect = Expect {
            continuation: message.is_some(),
            deflate: self.deflate,
        };
        let Some(frame) = self.header(input, expect)? else {
            return Ok(None);
        };
        if !frame.opcode.is_control() {
            let (sofar, compressed) = message.unwrap_or((0, frame.compressed));
            let most = self.bounds.of(compressed).max(self.bounds.skipped);
            if frame.left > most.saturating_sub(sofar) {
                return Err(TOO_BIG);
            }
        }
        Ok(Some(frame))
    }

    fn header(
        &mut self,
        input: &mut &mut [u8],
        expect: Expect,
    ) -> Result<Option<Frame>, ProtocolError> {
        if self
            .partial
            .as_ref()
            .is_some_and(|partial| partial.head.len > 0)
        {
            return self.split_header(input, expect);
        }
        if let Some((frame, size)) = header::parse(input, expect)? {
            take(input, size);
            return Ok(Some(frame));
        }
        if input.is_empty() {
            return Ok(None);
        }
        self.split_header(input, expect)
    }

    /// Goes on with a header that arrives in pieces.
    fn split_header(
        &mut self,
        input: &mut &mut [u8],
        expect: Expect,
    ) -> Result<Option<Frame>, ProtocolError> {
        let head = &mut self.partial.get_or_insert_default().head;
        let before = head.len;
        for (slot, byte) in head.bytes.iter_mut().skip(before).zip(input.iter()) {
            *slot = *byte;
        }
        let len = LONGEST.min(before + input.len());
        let Some((frame, size)) = header::parse(head.bytes.get(..len).unwrap_or_default(), expect)?
        else {
            head.len = len;
            take(input, len - before);
            return Ok(None);
        };
        head.len = 0;
        take(input, size - before);
        Ok(Some(frame))
    }
}

/// Without the payload that is partial: a message can carry a token.
impl fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Decoder")
            .field("max_message", &self.bounds.message)
            .field("deflate", &self.deflate)
            .field("idle", &self.is_idle())
            .finish_non_exhaustive()
    }
}

/// Takes up to `size` bytes off the front of `input`.
fn take<'a>(input: &mut &'a mut [u8], size: usize) -> &'a mut [u8] {
    let whole = std::mem::take(input);
    let size = size.min(whole.len());
    let (front, rest) = whole.split_at_mut(size);
    *input = rest;
    front
}
