//! WebSocket frames (RFC 6455, section 5.2) as a client needs them: masked out, plain in.

use thiserror::Error;

/// What kind of frame it is; a benchmark's server sends no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// A whole frame of a server, borrowed from the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) payload: &'a [u8],
    /// Bytes that the frame takes in the buffer, header included.
    pub(crate) length: usize,
}

/// A frame that no server under test may send.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("the server sent a frame with an extension's bits set; none was agreed on")]
    ReservedBits,
    #[error("the server sent a fragmented message; the generator reads whole ones only")]
    Fragmented,
    #[error("the server sent a masked frame; only clients mask")]
    Masked,
    #[error("the server sent a frame with the unknown opcode {0}")]
    UnknownOpcode(u8),
}

/// Reads the frame that `bytes` begins with; `None` while it is not complete.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    let opcode = opcode(first)?;
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let Some((header, size)) = size(second, rest) else {
        return Ok(None);
    };
    let Some(length) = header.checked_add(size) else {
        return Ok(None);
    };
    Ok(bytes.get(header..length).map(|payload| Frame {
        opcode,
        payload,
        length,
    }))
}

fn opcode(first: u8) -> Result<Opcode, FrameError> {
    if first & 0x70 != 0 {
        return Err(FrameError::ReservedBits);
    }
    if first & 0x80 == 0 {
        return Err(FrameError::Fragmented);
    }
    match first & 0x0f {
        0 => Err(FrameError::Fragmented),
        1 => Ok(Opcode::Text),
        2 => Ok(Opcode::Binary),
        8 => Ok(Opcode::Close),
        9 => Ok(Opcode::Ping),
        10 => Ok(Opcode::Pong),
        other => Err(FrameError::UnknownOpcode(other)),
    }
}

/// The header's length and the payload's, in bytes.
fn size(second: u8, rest: &[u8]) -> Option<(usize, usize)> {
    match second & 0x7f {
        126 => {
            let bytes = rest.first_chunk::<2>()?;
            Some((4, usize::from(u16::from_be_bytes(*bytes))))
        }
        127 => {
            let bytes = rest.first_chunk::<8>()?;
            Some((
                10,
                usize::try_from(u64::from_be_bytes(*bytes)).unwrap_or(usize::MAX),
            ))
        }
        short => Some((2, usize::from(short))),
    }
}

/// Appends a masked frame whose payload is the `parts` joined.
pub(crate) fn append(out: &mut Vec<u8>, opcode: Opcode, mask: [u8; 4], parts: &[&[u8]]) {
    let size = parts.iter().map(|part| part.len()).sum();
    append_header(out, opcode, size);
    out.extend_from_slice(&mask);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    let key = mask.iter().cycle();
    if let Some(payload) = out.get_mut(start..) {
        payload
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
    }
}

fn append_header(out: &mut Vec<u8>, opcode: Opcode, size: usize) {
    let code = match opcode {
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 8,
        Opcode::Ping => 9,
        Opcode::Pong => 10,
    };
    out.push(0x80 | code);
    match size {
        0..126 => out.push(0x80 | size as u8),
        126..=0xffff => {
            out.push(0x80 | 0x7e);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 0x7f);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a server makes of a client's frame: its mask bit and key taken away.
    fn unmasked(bytes: &[u8]) -> Vec<u8> {
        let header = match bytes[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let key = &bytes[header..header + 4];
        let payload = bytes[header + 4..]
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key);
        let mut plain = bytes[..header].to_vec();
        plain[1] &= 0x7f;
        plain.extend(payload);
        plain
    }

    proptest! {
        #[test]
        fn a_frame_without_its_mask_parses_to_what_was_written(
            payload in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                prop::collection::vec(any::<u8>(), 65_530..65_540),
            ],
            mask: [u8; 4],
        ) {
            let mut out = Vec::new();
            append(&mut out, Opcode::Text, mask, &[&payload]);
            let plain = unmasked(&out);
            let frame = parse(&plain).unwrap().unwrap();
            prop_assert_eq!(frame.opcode, Opcode::Text);
            prop_assert_eq!(frame.payload, &payload[..]);
            prop_assert_eq!(frame.length, plain.len());
        }

        #[test]
        fn every_prefix_of_a_frame_is_incomplete_and_no_error(
            payload in prop::collection::vec(any::<u8>(), 0..200),
            cut: prop::sample::Index,
        ) {
            let mut out = Vec::new();
            append(&mut out, Opcode::Binary, [0; 4], &[&payload]);
            let plain = unmasked(&out);
            prop_assert_eq!(parse(&plain[..cut.index(plain.len())]), Ok(None));
        }

        #[test]
        fn any_bytes_are_read_without_panic_and_within_the_buffer(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            if let Ok(Some(frame)) = parse(&bytes) {
                prop_assert!(frame.length <= bytes.len());
            }
        }
    }

    #[test]
    fn frames_that_no_server_may_send_are_named() {
        assert_eq!(parse(&[0x01, 0]), Err(FrameError::Fragmented));
        assert_eq!(parse(&[0xc1, 0]), Err(FrameError::ReservedBits));
        assert_eq!(parse(&[0x81, 0x80]), Err(FrameError::Masked));
        assert_eq!(parse(&[0x83, 0]), Err(FrameError::UnknownOpcode(3)));
    }
}
