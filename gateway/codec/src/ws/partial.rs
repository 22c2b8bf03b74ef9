//! What a decoder keeps while something is incomplete.

use super::{
    Opcode, deflate,
    error::{ProtocolError, TEXT_NOT_UTF8},
    header::{Frame, LONGEST},
};

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

struct Message {
    opcode: Opcode,
    compressed: bool,
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
            .map(|message| (message.data.len(), message.compressed))
    }

    pub(super) fn finished(&self) -> &[u8] {
        &self.finished
    }

    pub(super) fn finish(&mut self, payload: Vec<u8>) {
        self.finished = payload;
    }

    /// Adds unmasked payload of `frame`, whose `left` already excludes it. When that completes a
    /// message or a control frame, its opcode: the payload is then in `finished`.
    pub(super) fn add(
        &mut self,
        frame: Frame,
        payload: &[u8],
        max: usize,
    ) -> Result<Option<Opcode>, ProtocolError> {
        let complete = frame.left == 0;
        if frame.opcode.is_control() {
            self.control.extend_from_slice(payload);
            if complete {
                self.finished = std::mem::take(&mut self.control);
                return Ok(Some(frame.opcode));
            }
        } else {
            let message = self.message.get_or_insert_with(|| Message::begin(frame));
            message.add(payload)?;
            if complete && frame.fin {
                return self.end_message(max);
            }
        }
        self.frame = (!complete).then_some(frame);
        Ok(None)
    }

    fn end_message(&mut self, max: usize) -> Result<Option<Opcode>, ProtocolError> {
        let Some(message) = self.message.take() else {
            return Ok(None);
        };
        self.finished = if message.compressed {
            deflate::inflate(&message.data, max)?
        } else {
            message.data
        };
        Ok(Some(message.opcode))
    }
}

impl Message {
    fn begin(frame: Frame) -> Self {
        Self {
            opcode: frame.opcode,
            compressed: frame.compressed,
            data: Vec::new(),
            valid: 0,
        }
    }

    /// Appends and, for a plain text, fails at once when no further byte could make it UTF-8
    /// (RFC 6455, section 8.1 allows that, and it saves buffering a message in vain).
    fn add(&mut self, payload: &[u8]) -> Result<(), ProtocolError> {
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
}
