//! What a decoder hands out, and the checks on a complete payload.

use super::{
    Opcode, Oversized,
    error::{CLOSE_CODE, CLOSE_TOO_SHORT, ProtocolError, REASON_NOT_UTF8, TEXT_NOT_UTF8},
};

/// A whole message or control frame, borrowed from the input or from the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A message over the bound, of which only the head was kept.
    Oversized(Oversized<'a>),
    /// A ping; answer it with a pong of the same payload (RFC 6455, section 5.5.2).
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The peer ends the connection. What follows on the wire is to be ignored
    /// (RFC 6455, section 5.5.1).
    Close {
        /// Why; absent when the frame was empty.
        code: Option<u16>,
        /// The peer's words, often empty.
        reason: &'a str,
    },
}

impl<'a> Event<'a> {
    /// Reads a complete, unmasked, inflated payload as what `opcode` says it is.
    pub(super) fn read(opcode: Opcode, payload: &'a [u8]) -> Result<Self, ProtocolError> {
        match opcode {
            Opcode::Text => simdutf8::basic::from_utf8(payload)
                .map(Event::Text)
                .map_err(|_| TEXT_NOT_UTF8),
            Opcode::Binary | Opcode::Continuation => Ok(Event::Binary(payload)),
            Opcode::Ping => Ok(Event::Ping(payload)),
            Opcode::Pong => Ok(Event::Pong(payload)),
            Opcode::Close => read_close(payload),
        }
    }
}

fn read_close(payload: &[u8]) -> Result<Event<'_>, ProtocolError> {
    match *payload {
        [] => Ok(Event::Close {
            code: None,
            reason: "",
        }),
        [_] => Err(CLOSE_TOO_SHORT),
        [high, low, ref reason @ ..] => {
            let code = u16::from_be_bytes([high, low]);
            if !may_be_sent(code) {
                return Err(CLOSE_CODE);
            }
            let reason = simdutf8::basic::from_utf8(reason).map_err(|_| REASON_NOT_UTF8)?;
            Ok(Event::Close {
                code: Some(code),
                reason,
            })
        }
    }
}

/// Codes that may stand in a close frame: those of RFC 6455, section 7.4, and of the registry it
/// founds (1012 to 1014), and the ranges for libraries and applications.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
