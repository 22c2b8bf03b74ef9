//! Packets from a text frame or a polling body.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{Data, Packet, PacketType, SEPARATOR};

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a frame or body is not Engine.IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is not even a type.
    #[error("An Engine.IO packet is empty; it must begin with its type, 0 to 6.")]
    EmptyPacket,
    /// The first character is no type.
    #[error("An Engine.IO packet has an unknown type; it must begin with 0 to 6, or b for base64.")]
    UnknownType,
    /// The data after `b` is no base64.
    #[error("An Engine.IO packet is marked as base64 but is not valid base64.")]
    InvalidBase64,
}

impl Error {
    /// The stable code for logs, counters and answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmptyPacket => "engineio_empty_packet",
            Self::UnknownType => "engineio_unknown_type",
            Self::InvalidBase64 => "engineio_invalid_base64",
        }
    }
}

/// Reads one packet: a WebSocket text frame, or a part of a polling body. Only base64 data is
/// copied.
pub fn decode(text: &str) -> Result<Packet<'_>, Error> {
    let kind = match text.as_bytes().first() {
        None => return Err(Error::EmptyPacket),
        Some(b'0') => PacketType::Open,
        Some(b'1') => PacketType::Close,
        Some(b'2') => PacketType::Ping,
        Some(b'3') => PacketType::Pong,
        Some(b'4') => PacketType::Message,
        Some(b'5') => PacketType::Upgrade,
        Some(b'6') => PacketType::Noop,
        Some(b'b') => return decode_binary(&text[1..]),
        Some(_) => return Err(Error::UnknownType),
    };
    Ok(Packet {
        kind,
        data: Data::Text(&text[1..]),
    })
}

fn decode_binary(text: &str) -> Result<Packet<'static>, Error> {
    let bytes = BASE64.decode(text).map_err(|_| Error::InvalidBase64)?;
    Ok(Packet {
        kind: PacketType::Message,
        data: Data::Binary(bytes.into()),
    })
}

/// Reads the packets of a polling body one by one. An error is the last item.
pub fn payload(body: &str) -> impl Iterator<Item = Result<Packet<'_>, Error>> {
    let mut failed = false;
    body.split(char::from(SEPARATOR)).map_while(move |text| {
        if failed {
            return None;
        }
        let packet = decode(text);
        failed = packet.is_err();
        Some(packet)
    })
}
