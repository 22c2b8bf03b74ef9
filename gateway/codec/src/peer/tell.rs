//! What gateways tell each other without an answer.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Malformed, SidBytes, TELLS, VERSION, read::Fields};

/// How far one end of a tunnel has come with what the other end sends, in bytes from its
/// beginning. The end of a direction counts as one byte more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// How many bytes of the direction have arrived, without a gap.
    pub received: u64,
    /// What has been written on, which makes room for more; never beyond what has arrived.
    pub written: u64,
}

/// News of a session's request, or of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// The client went away before it had the answer to its request.
    Abandoned {
        /// The session whose client it is.
        sid: SidBytes,
    },
    /// Bytes of a tunnel; none of them ask for an [`Self::Ack`].
    Data {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
        /// Where the bytes begin.
        offset: u64,
        /// How far the other direction has come.
        marks: Marks,
        /// The bytes that are passed on.
        bytes: Bytes,
    },
    /// How far the other direction has come.
    Ack {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
        /// How far the other direction has come.
        marks: Marks,
    },
    /// Nothing follows in this direction. It is acknowledged as bytes are.
    Fin {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
        /// Where the direction ends.
        offset: u64,
    },
    /// The tunnel is gone, or was never there.
    Reset {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
    },
    /// The gateway that accepted the tunnel's client drains: the client is to move.
    Leave {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
    },
    /// As [`Self::Ack`], and what came last did not begin there: all from there on is to be sent
    /// again.
    Missing {
        /// The tunnel's number at the gateway that opened it.
        tunnel: u64,
        /// How far the other direction has come.
        marks: Marks,
    },
}

impl Tell {
    /// A word for the kind of news, one of [`TELLS`].
    pub fn kind(&self) -> &'static str {
        TELLS[usize::from(self.number() != 0)]
    }

    fn number(&self) -> u8 {
        match self {
            Self::Abandoned { .. } => 0,
            Self::Data { .. } => 1,
            Self::Ack { .. } => 2,
            Self::Fin { .. } => 3,
            Self::Reset { .. } => 4,
            Self::Leave { .. } => 5,
            Self::Missing { .. } => 6,
        }
    }

    /// The news as a frame.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(36);
        out.put_u8(VERSION);
        out.put_u8(self.number());
        match self {
            Self::Abandoned { sid } => out.put_slice(sid),
            Self::Data {
                tunnel,
                offset,
                marks,
                bytes,
            } => {
                out.reserve(bytes.len() + 32);
                out.put_u64(*tunnel);
                out.put_u64(*offset);
                marks.encode(&mut out);
                out.put_slice(bytes);
            }
            Self::Ack { tunnel, marks } | Self::Missing { tunnel, marks } => {
                out.put_u64(*tunnel);
                marks.encode(&mut out);
            }
            Self::Fin { tunnel, offset } => {
                out.put_u64(*tunnel);
                out.put_u64(*offset);
            }
            Self::Reset { tunnel } | Self::Leave { tunnel } => out.put_u64(*tunnel),
        }
        out.freeze()
    }

    /// Reads a frame; bytes share its memory.
    pub fn decode(frame: Bytes) -> Result<Self, Malformed> {
        let (number, mut fields) = Fields::open(frame)?;
        if number == 0 {
            let sid = fields.sid()?;
            return fields.end(Self::Abandoned { sid });
        }
        let tunnel = fields.u64()?;
        let tell = match number {
            1 => {
                return Ok(Self::Data {
                    tunnel,
                    offset: fields.u64()?,
                    marks: Marks::read(&mut fields)?,
                    bytes: fields.rest(),
                });
            }
            2 => Self::Ack {
                tunnel,
                marks: Marks::read(&mut fields)?,
            },
            3 => Self::Fin {
                tunnel,
                offset: fields.u64()?,
            },
            4 => Self::Reset { tunnel },
            5 => Self::Leave { tunnel },
            6 => Self::Missing {
                tunnel,
                marks: Marks::read(&mut fields)?,
            },
            _ => return Err(Malformed),
        };
        fields.end(tell)
    }
}

impl Marks {
    fn encode(self, out: &mut BytesMut) {
        out.put_u64(self.received);
        out.put_u64(self.written);
    }

    fn read(fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self {
            received: fields.u64()?,
            written: fields.u64()?,
        })
    }
}
