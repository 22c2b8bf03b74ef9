//! Frames that a server sends: never masked (RFC 6455, section 5.1).

use bytes::Bytes;

use super::{Opcode, deflate};

/// The most bytes of a close frame's reason: a control frame's 125 less the code.
const LONGEST_REASON: usize = 123;

/// A whole frame around `payload`.
pub fn encode(opcode: Opcode, payload: &[u8]) -> Bytes {
    frame(opcode, payload, false)
}

/// Appends a whole frame around `payload` to `out`.
pub fn encode_into(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(header_size(payload.len()) + payload.len());
    header(opcode, payload.len(), false, out);
    out.extend_from_slice(payload);
}

/// Appends the header of a final frame with `len` bytes of payload to `out`. `rsv1` marks a
/// compressed message (RFC 7692, section 6).
pub fn header(opcode: Opcode, len: usize, rsv1: bool, out: &mut Vec<u8>) {
    out.push(0x80 | u8::from(rsv1) << 6 | opcode as u8);
    match len {
        0..=125 => out.push(len as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// A close frame. `reason` is cut to the 123 bytes that fit, between characters.
pub fn close(code: u16, reason: &str) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(LONGEST_REASON)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    encode(Opcode::Close, &payload)
}

/// A whole frame around `payload`, compressed where that is shorter. Only for connections that
/// agreed on permessage-deflate with `server_no_context_takeover` and a full window; control
/// frames are never compressed.
pub fn encode_deflated(opcode: Opcode, payload: &[u8]) -> Bytes {
    if opcode.is_control() {
        return encode(opcode, payload);
    }
    deflate::deflate(payload, |packed| frame(opcode, packed, true))
        .unwrap_or_else(|| encode(opcode, payload))
}

fn frame(opcode: Opcode, payload: &[u8], rsv1: bool) -> Bytes {
    let mut out = Vec::with_capacity(header_size(payload.len()) + payload.len());
    header(opcode, payload.len(), rsv1, &mut out);
    out.extend_from_slice(payload);
    out.into()
}

const fn header_size(len: usize) -> usize {
    match len {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}
