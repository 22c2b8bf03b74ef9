//! What the owner of a session answers.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Malformed, VERSION, read::Fields};

/// An answer to an [`Ask`](super::Ask).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All that there is to answer: a poll's payload, or nothing.
    Whole(Bytes),
    /// The first bytes of an answer that is too long for one frame.
    Part {
        /// The number under which the rest waits.
        transfer: u64,
        /// The first bytes of the answer.
        bytes: Bytes,
    },
    /// The owner refuses.
    Refused(Refused),
}

/// Why an owner refuses what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such session, or no longer.
    Unknown,
    /// The session cannot be asked this.
    Bad,
    /// The body is larger than the session may send.
    TooLarge,
    /// The owner carries as much as it may already.
    Full,
}

impl Refused {
    fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Bad => 1,
            Self::TooLarge => 2,
            Self::Full => 3,
        }
    }

    fn read(number: u8) -> Result<Self, Malformed> {
        match number {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Bad),
            2 => Ok(Self::TooLarge),
            3 => Ok(Self::Full),
            _ => Err(Malformed),
        }
    }
}

impl Answer {
    /// The answer as a frame.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(VERSION);
        match self {
            Self::Whole(bytes) => {
                out.reserve(bytes.len() + 1);
                out.put_u8(0);
                out.put_slice(bytes);
            }
            Self::Part { transfer, bytes } => {
                out.reserve(bytes.len() + 9);
                out.put_u8(1);
                out.put_u64(*transfer);
                out.put_slice(bytes);
            }
            Self::Refused(refused) => {
                out.put_u8(2);
                out.put_u8(refused.number());
            }
        }
        out.freeze()
    }

    /// Reads a frame; bytes share its memory.
    pub fn decode(frame: Bytes) -> Result<Self, Malformed> {
        let (number, mut fields) = Fields::open(frame)?;
        match number {
            0 => Ok(Self::Whole(fields.rest())),
            1 => Ok(Self::Part {
                transfer: fields.u64()?,
                bytes: fields.rest(),
            }),
            2 => {
                let refused = Refused::read(fields.u8()?)?;
                fields.end(Self::Refused(refused))
            }
            _ => Err(Malformed),
        }
    }
}
