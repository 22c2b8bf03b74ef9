//! A packet's parts: `<type>[<attachments>-][<namespace>,][<id>][<payload>]`.

use super::{Error, MAIN_NAMESPACE, MAX_ATTACHMENTS, MAX_NAMESPACE, Packet, PacketType};

/// Splits `text` into a packet's parts. Nothing is copied; the payload is checked by its first
/// character only and read by [`super::args`] or [`super::ack_args`].
pub fn decode(text: &str) -> Result<Packet<'_>, Error> {
    let kind = kind(text)?;
    let rest = &text[1..];
    let (attachments, rest) = attachments(kind, rest)?;
    let (namespace, rest) = namespace(rest)?;
    let (id, data) = id(rest)?;
    let packet = Packet {
        kind,
        namespace,
        id,
        attachments,
        data,
    };
    check(&packet)?;
    Ok(packet)
}

fn kind(text: &str) -> Result<PacketType, Error> {
    match text.as_bytes().first() {
        Some(b'0') => Ok(PacketType::Connect),
        Some(b'1') => Ok(PacketType::Disconnect),
        Some(b'2') => Ok(PacketType::Event),
        Some(b'3') => Ok(PacketType::Ack),
        Some(b'4') => Ok(PacketType::ConnectError),
        Some(b'5') => Ok(PacketType::BinaryEvent),
        Some(b'6') => Ok(PacketType::BinaryAck),
        _ => Err(Error::UnknownType),
    }
}

fn attachments(kind: PacketType, text: &str) -> Result<(usize, &str), Error> {
    if !matches!(kind, PacketType::BinaryEvent | PacketType::BinaryAck) {
        return Ok((0, text));
    }
    let (digits, rest) = digits(text);
    let rest = rest.strip_prefix('-').ok_or(Error::InvalidAttachments)?;
    if digits.is_empty() {
        return Err(Error::InvalidAttachments);
    }
    match digits.parse() {
        Ok(count) if count <= MAX_ATTACHMENTS => Ok((count, rest)),
        _ => Err(Error::TooManyAttachments),
    }
}

fn namespace(text: &str) -> Result<(&str, &str), Error> {
    if !text.starts_with('/') {
        return Ok((MAIN_NAMESPACE, text));
    }
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    let name = name.split_once('?').map_or(name, |(name, _query)| name);
    if name.len() > MAX_NAMESPACE {
        return Err(Error::NamespaceTooLong);
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Error::InvalidNamespace);
    }
    Ok((name, rest))
}

fn id(text: &str) -> Result<(Option<u64>, &str), Error> {
    let (digits, rest) = digits(text);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    let id = digits.parse().map_err(|_| Error::InvalidId)?;
    Ok((Some(id), rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

fn check(packet: &Packet<'_>) -> Result<(), Error> {
    let first = packet.data.as_bytes().first();
    let (fits, may_have_id) = match packet.kind {
        PacketType::Connect => (matches!(first, None | Some(b'{')), false),
        PacketType::Disconnect => (first.is_none(), false),
        PacketType::ConnectError => (matches!(first, Some(b'{' | b'"')), false),
        PacketType::Event | PacketType::BinaryEvent => (first == Some(&b'['), true),
        PacketType::Ack | PacketType::BinaryAck => {
            packet.id.ok_or(Error::MissingId)?;
            (first == Some(&b'['), true)
        }
    };
    if packet.id.is_some() && !may_have_id {
        return Err(Error::InvalidId);
    }
    if fits {
        Ok(())
    } else {
        Err(Error::InvalidPayload)
    }
}
