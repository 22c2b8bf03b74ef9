//! A frame that many connections are sent.

use std::cell::OnceCell;

use bytes::Bytes;
use sluice_codec::ws::{self, Opcode};

/// Below this many bytes of payload a frame is not worth compressing.
const DEFLATE_FROM: usize = 256;

/// One message as WebSocket frames, encoded once and shared by all who get it.
///
/// The compressed form is made when the first connection that negotiated compression asks for it.
#[derive(Debug, Clone)]
pub struct SharedFrame {
    opcode: Opcode,
    frame: Bytes,
    deflated: OnceCell<Bytes>,
}

impl SharedFrame {
    /// A text message.
    pub fn text(payload: &str) -> Self {
        Self::new(Opcode::Text, payload.as_bytes())
    }

    /// A binary message.
    pub fn binary(payload: &[u8]) -> Self {
        Self::new(Opcode::Binary, payload)
    }

    /// A frame of any kind.
    pub fn new(opcode: Opcode, payload: &[u8]) -> Self {
        Self {
            opcode,
            frame: ws::encode(opcode, payload),
            deflated: OnceCell::new(),
        }
    }

    /// The frame as it goes to a connection without compression.
    pub fn plain(&self) -> &Bytes {
        &self.frame
    }

    /// The frame for a connection with or without compression.
    pub fn select(&self, deflate: bool) -> &Bytes {
        if !deflate || self.payload().len() < DEFLATE_FROM {
            return &self.frame;
        }
        self.deflated
            .get_or_init(|| ws::encode_deflated(self.opcode, self.payload()))
    }

    /// The message without its frame header, for transports that frame it in another way.
    pub fn payload(&self) -> &[u8] {
        &self.frame[header_len(&self.frame)..]
    }
}

/// The length of an unmasked frame's header (RFC 6455, section 5.2).
fn header_len(frame: &[u8]) -> usize {
    match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_a_frame_of_any_length_is_found() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(len);
            assert_eq!(SharedFrame::text(&text).payload(), text.as_bytes());
        }
    }

    #[test]
    fn a_short_message_is_never_compressed() {
        let frame = SharedFrame::text("short");
        assert_eq!(frame.select(true), frame.plain());
    }

    #[test]
    fn a_message_is_compressed_once_for_all_who_asked() {
        let frame = SharedFrame::text(&"long ".repeat(200));
        let first = frame.select(true).clone();
        for _ in 0..100 {
            assert_eq!(frame.select(true).as_ptr(), first.as_ptr());
        }
    }

    #[test]
    fn a_long_message_is_compressed_for_those_who_asked() {
        let frame = SharedFrame::text(&"long ".repeat(200));
        assert!(frame.select(true).len() < frame.select(false).len());
    }
}
