//! What a decoder keeps while something is incomplete.

use super::{
    Opcode, deflate,
    error::{ProtocolError, TEXT_NOT_UTF8, TOO_BIG},
    header::{Frame, LONGEST},
    oversized::HEAD,
};

/// How long messages may be, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The longest that is handed out.
    pub(super) message: usize,
    /// The longest that is passed over where it is longer than that.
    pub(super) skipped: usize,
}

impl Bounds {
    /// The longest message that is handed out, as it is on the wire.
    pub(super) fn of(self, compressed: bool) -> usize {
        if compressed {
            deflate::packed_bound(self.message)
        } else {
            self.message
        }
    }
}

#[derive(Default)]
pub(super) struct Partial {
    /// A header whose end has not arrived.
    pub(super) head: Head,
    /// A frame whose payload has not arrived whole.
    pub(super) frame: Option<Frame>,
    /// The payload so far of a control frame.
    control: Vec<u8>,
    /// The message so far, over all its fragments.
    message: Option<Message>,
    /// What the last event borrowed.
    finished: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Head {
    pub(super) bytes: [u8; LONGEST],
    pub(super) len: usize,
}

/// What has come to its end. The payload is in what was finished.
pub(super) enum Whole {
    /// A message or a control frame.
    Read(Opcode),
    /// A message that was passed over, so many bytes long. Only its head is there.
    Oversized(Opcode, usize),
}

struct Message {
    opcode: Opcode,
    compressed: bool,
    /// It is over the bound: only its head is kept.
    oversized: bool,
    /// How long it is so far.
    bytes: usize,
    data: Vec<u8>,
    /// How much of a text is known to be UTF-8.
    valid: usize,
}

impl Partial {
    /// Frees what the last event borrowed; true when nothing is left to keep.
    pub(super) fn release(&mut self) -> bool {
        self.finished = Vec::new();
        self.head.len == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// The length so far of the fragmented message, and whether it is compressed.
    pub(super) fn message(&self) -> Option<(usize, bool)> {
        self.message
            .as_ref()
            .map(|message| (message.bytes, message.compressed))
    }

    pub(super) fn finished(&self) -> &[u8] {
        &self.finished
    }

    pub(super) fn finish(&mut self, payload: Vec<u8>) {
        self.finished = payload;
    }

    /// Adds unmasked payload of `frame`, whose `left` already excludes it. Says what that completes,
    /// whose payload is then in `finished`.
    pub(super) fn add(
        &mut self,
        frame: Frame,
        payload: &[u8],
        bounds: Bounds,
    ) -> Result<Option<Whole>, ProtocolError> {
        let complete = frame.left == 0;
        if frame.opcode.is_control() {
            self.control.extend_from_slice(payload);
            if complete {
                self.finished = std::mem::take(&mut self.control);
                return Ok(Some(Whole::Read(frame.opcode)));
            }
        } else {
            let message = self.message.get_or_insert_with(|| Message::begin(frame));
            message.add(payload, frame.left, bounds)?;
            if complete && frame.fin {
                return self.end_message(bounds);
            }
        }
        self.frame = (!complete).then_some(frame);
        Ok(None)
    }

    fn end_message(&mut self, bounds: Bounds) -> Result<Option<Whole>, ProtocolError> {
        let Some(mut message) = self.message.take() else {
            return Ok(None);
        };
        Ok(Some(if let Some(payload) = message.payload(bounds)? {
            self.finished = payload;
            Whole::Read(message.opcode)
        } else {
            self.finished = head(&message.data, message.compressed);
            Whole::Oversized(message.opcode, message.bytes)
        }))
    }
}

/// Unpacks a message. `None` where it is over the bound, and what is over it is passed over.
pub(super) fn unpack(packed: &[u8], bounds: Bounds) -> Result<Option<Vec<u8>>, ProtocolError> {
    match deflate::inflate(packed, bounds.message) {
        Err(TOO_BIG) if bounds.skipped > 0 => Ok(None),
        inflated => inflated.map(Some),
    }
}

/// The head of a message that is passed over, of which `data` came first.
pub(super) fn head(data: &[u8], compressed: bool) -> Vec<u8> {
    let data = data.get(..HEAD).unwrap_or(data);
    if compressed {
        deflate::inflate_head(data, HEAD)
    } else {
        data.to_vec()
    }
}

impl Message {
    fn begin(frame: Frame) -> Self {
        Self {
            opcode: frame.opcode,
            compressed: frame.compressed,
            oversized: false,
            bytes: 0,
            data: Vec::new(),
            valid: 0,
        }
    }

    /// The whole message, or `None` where it is over the bound and only its head is kept.
    fn payload(&mut self, bounds: Bounds) -> Result<Option<Vec<u8>>, ProtocolError> {
        if self.oversized {
            Ok(None)
        } else if self.compressed {
            unpack(&self.data, bounds)
        } else {
            Ok(Some(std::mem::take(&mut self.data)))
        }
    }

    /// Appends and, for a plain text, fails at once when no further byte could make it UTF-8
    /// (RFC 6455, section 8.1 allows that, and it saves buffering a message in vain).
    /// `left` is what its frame has still to bring.
    fn add(&mut self, payload: &[u8], left: usize, bounds: Bounds) -> Result<(), ProtocolError> {
        self.bytes += payload.len();
        if self.oversized || self.bytes + left > bounds.of(self.compressed) {
            self.pass_over(payload);
            return Ok(());
        }
        self.data.extend_from_slice(payload);
        if self.opcode != Opcode::Text || self.compressed {
            return Ok(());
        }
        match simdutf8::compat::from_utf8(self.data.get(self.valid..).unwrap_or_default()) {
            Ok(text) => self.valid += text.len(),
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(TEXT_NOT_UTF8),
        }
        Ok(())
    }

    /// Keeps the payload only where it is of the head.
    fn pass_over(&mut self, payload: &[u8]) {
        let wanted = HEAD.saturating_sub(self.data.len());
        self.data
            .extend_from_slice(payload.get(..wanted).unwrap_or(payload));
        if !self.oversized {
            self.oversized = true;
            self.data.truncate(HEAD);
            self.data.shrink_to_fit();
        }
    }
}
