//! What a gateway asks the owner of a session.

use bytes::{BufMut, Bytes, BytesMut};

use super::{CALLS, Malformed, SidBytes, VERSION, read::Fields};

/// A question; its answer is an [`Answer`](super::Answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A GET of the polling transport: answered with the payload.
    Poll {
        /// The session that is asked about.
        sid: SidBytes,
    },
    /// A POST of the polling transport, or its end.
    Post {
        /// The session that is asked about.
        sid: SidBytes,
        /// Under which number its first parts were left, where it has any.
        transfer: u64,
        /// How many bytes these parts have.
        after: u64,
        /// The rest of the body, which follows those bytes.
        body: Bytes,
    },
    /// A WebSocket that wants to take over from polling, and whose bytes come through a tunnel.
    Probe {
        /// The session that is asked about.
        sid: SidBytes,
        /// The tunnel's number, chosen by the gateway that asks.
        tunnel: u64,
        /// Whether permessage-deflate was negotiated.
        deflate: bool,
    },
    /// A part of a body that is too long for one frame.
    Part {
        /// The number that the parts of one body share.
        transfer: u64,
        /// How many bytes came before.
        after: u64,
        /// The bytes of this part of the body.
        body: Bytes,
    },
    /// What follows an answer that was too long for one frame.
    Rest {
        /// The number that the answer gave.
        transfer: u64,
    },
    /// Whether the gateway is there. It says so at once.
    Alive,
}

impl Ask {
    /// A word for the kind of question, one of [`CALLS`].
    pub fn kind(&self) -> &'static str {
        CALLS[usize::from(self.number())]
    }

    fn number(&self) -> u8 {
        match self {
            Self::Poll { .. } => 0,
            Self::Post { .. } => 1,
            Self::Probe { .. } => 2,
            Self::Part { .. } => 3,
            Self::Rest { .. } => 4,
            Self::Alive => 5,
        }
    }

    /// The question as a frame.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(64);
        out.put_u8(VERSION);
        out.put_u8(self.number());
        match self {
            Self::Poll { sid } => out.put_slice(sid),
            Self::Post {
                sid,
                transfer,
                after,
                body,
            } => {
                out.put_slice(sid);
                out.put_u64(*transfer);
                out.put_u64(*after);
                out.put_slice(body);
            }
            Self::Probe {
                sid,
                tunnel,
                deflate,
            } => {
                out.put_slice(sid);
                out.put_u64(*tunnel);
                out.put_u8(u8::from(*deflate));
            }
            Self::Part {
                transfer,
                after,
                body,
            } => {
                out.put_u64(*transfer);
                out.put_u64(*after);
                out.put_slice(body);
            }
            Self::Rest { transfer } => out.put_u64(*transfer),
            Self::Alive => {}
        }
        out.freeze()
    }

    /// Reads a frame; bodies share its memory.
    pub fn decode(frame: Bytes) -> Result<Self, Malformed> {
        let (number, mut fields) = Fields::open(frame)?;
        match number {
            0 => {
                let sid = fields.sid()?;
                fields.end(Self::Poll { sid })
            }
            1 => Ok(Self::Post {
                sid: fields.sid()?,
                transfer: fields.u64()?,
                after: fields.u64()?,
                body: fields.rest(),
            }),
            2 => {
                let probe = Self::Probe {
                    sid: fields.sid()?,
                    tunnel: fields.u64()?,
                    deflate: fields.flag()?,
                };
                fields.end(probe)
            }
            3 => Ok(Self::Part {
                transfer: fields.u64()?,
                after: fields.u64()?,
                body: fields.rest(),
            }),
            4 => {
                let transfer = fields.u64()?;
                fields.end(Self::Rest { transfer })
            }
            5 => fields.end(Self::Alive),
            _ => Err(Malformed),
        }
    }
}
