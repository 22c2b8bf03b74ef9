//! Frames as a client sends them, and a decoder driven over pieces of a stream.

use sluice_codec::ws::{Decoder, Event, Opcode, ProtocolError, header};

pub(crate) const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An event that outlives the decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Oversized(bool, Vec<u8>, usize),
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Binary(data) => Self::Binary(data.to_vec()),
            Event::Ping(data) => Self::Ping(data.to_vec()),
            Event::Pong(data) => Self::Pong(data.to_vec()),
            Event::Close { code, reason } => Self::Close(code, reason.to_owned()),
            Event::Oversized(it) => Self::Oversized(it.is_text, it.head.to_vec(), it.bytes),
        }
    }
}

/// A masked frame with chosen first-byte bits.
pub(crate) fn frame_bits(bits: u8, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    header(Opcode::Text, payload.len(), false, &mut out);
    out[0] = bits | opcode;
    out[1] |= 0x80;
    out.extend_from_slice(&MASK);
    out.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    out
}

/// A masked final frame.
pub(crate) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame_bits(0x80, opcode as u8, payload)
}

/// A masked frame that another fragment follows.
pub(crate) fn fragment(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame_bits(0, opcode as u8, payload)
}

/// All events of `pieces`, read one piece after the other, and the error that ended them.
pub(crate) fn read_with<'a>(
    decoder: &mut Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Owned>, Option<ProtocolError>) {
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = piece.as_mut_slice();
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => events.push(Owned::from(event)),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
        assert!(input.is_empty(), "None must mean that all input was used");
    }
    (events, None)
}

/// All events of one stream that arrives in one piece.
pub(crate) fn read(stream: &[u8]) -> (Vec<Owned>, Option<ProtocolError>) {
    read_with(&mut Decoder::new(1 << 20, false), [stream])
}

/// The events of a stream that breaks no rule.
pub(crate) fn events(stream: &[u8]) -> Vec<Owned> {
    let (events, error) = read(stream);
    assert_eq!(error, None);
    events
}

/// The code of the error that `stream` ends in.
pub(crate) fn refusal(stream: &[u8]) -> (u16, &'static str) {
    let (_, Some(error)) = read(stream) else {
        panic!("the stream should be refused")
    };
    (error.code, error.reason)
}

/// All events of one stream that arrives byte by byte.
pub(crate) fn read_by_bytes(stream: &[u8]) -> (Vec<Owned>, Option<ProtocolError>) {
    read_with(&mut Decoder::new(1 << 20, false), stream.chunks(1))
}
