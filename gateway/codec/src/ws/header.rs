//! Frame headers as a client sends them (RFC 6455, section 5.2).

use super::{
    Opcode,
    error::{
        CONTROL_FRAGMENTED, CONTROL_TOO_LONG, EXPECTED_CONTINUATION, LENGTH_NOT_MINIMAL,
        LENGTH_SIGN, ProtocolError, RESERVED_BITS, RESERVED_OPCODE, UNEXPECTED_CONTINUATION,
        UNMASKED,
    },
};

/// The longest header: two bytes, a 64-bit length, a mask.
pub(super) const LONGEST: usize = 14;

/// A frame that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) compressed: bool,
    /// As it applies to the next payload byte.
    pub(super) mask: [u8; 4],
    /// Payload bytes still to come.
    pub(super) left: usize,
    /// Part of the payload may already be kept, so the rest cannot be borrowed from the input.
    started: bool,
}

impl Frame {
    /// All of a message or of a control frame, nothing of it read before.
    pub(super) fn is_whole(&self) -> bool {
        self.fin && !self.started && self.opcode != Opcode::Continuation
    }

    /// Counts `read` payload bytes as read.
    pub(super) fn advance(&mut self, read: usize) {
        self.left -= read;
        self.mask.rotate_left(read % 4);
        self.started = true;
    }
}

/// What decides which frames may come next.
#[derive(Clone, Copy)]
pub(super) struct Expect {
    pub(super) continuation: bool,
    pub(super) deflate: bool,
}

/// Reads the header at the start of `bytes`: the frame and the header's size.
/// `None` when more bytes are needed. An error is raised at the first byte that shows it, so
/// that it does not depend on how the bytes arrived.
pub(super) fn parse(bytes: &[u8], expect: Expect) -> Result<Option<(Frame, usize)>, ProtocolError> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let opcode = opcode(first, expect)?;
    let fin = first & 0x80 != 0;
    let Some((&second, rest)) = rest.split_first() else {
        return Ok(None);
    };
    if second & 0x80 == 0 {
        return Err(UNMASKED);
    }
    let short = second & 0x7f;
    if opcode.is_control() && short > 125 {
        return Err(CONTROL_TOO_LONG);
    }
    let Some((left, rest)) = length(short, rest)? else {
        return Ok(None);
    };
    let Some((&mask, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    let compressed = first & 0x40 != 0;
    let frame = Frame {
        opcode,
        fin,
        compressed,
        mask,
        left,
        started: false,
    };
    Ok(Some((frame, bytes.len() - rest.len())))
}

fn opcode(first: u8, expect: Expect) -> Result<Opcode, ProtocolError> {
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(RESERVED_OPCODE),
    };
    // RFC 7692, section 6: only the first frame of a data message says that it is compressed.
    let allowed = match opcode {
        Opcode::Text | Opcode::Binary if expect.deflate => 0x40,
        _ => 0,
    };
    if first & 0x70 & !allowed != 0 {
        return Err(RESERVED_BITS);
    }
    match (opcode, expect.continuation) {
        (Opcode::Continuation, false) => Err(UNEXPECTED_CONTINUATION),
        (Opcode::Text | Opcode::Binary, true) => Err(EXPECTED_CONTINUATION),
        _ if opcode.is_control() && first & 0x80 == 0 => Err(CONTROL_FRAGMENTED),
        _ => Ok(opcode),
    }
}

/// The payload's length and what follows it; `None` when more bytes are needed.
fn length(short: u8, rest: &[u8]) -> Result<Option<(usize, &[u8])>, ProtocolError> {
    let (length, least, rest) = match short {
        126 => {
            let Some((bytes, rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            (u64::from(u16::from_be_bytes(*bytes)), 126, rest)
        }
        127 => {
            let Some((bytes, rest)) = rest.split_first_chunk() else {
                return Ok(None);
            };
            (u64::from_be_bytes(*bytes), 1 << 16, rest)
        }
        _ => return Ok(Some((usize::from(short), rest))),
    };
    if length >> 63 != 0 {
        return Err(LENGTH_SIGN);
    }
    if length < least {
        return Err(LENGTH_NOT_MINIMAL);
    }
    Ok(Some((usize::try_from(length).unwrap_or(usize::MAX), rest)))
}
