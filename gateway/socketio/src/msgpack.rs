//! Just enough `MessagePack` to tell clients that use `socket.io-msgpack-parser` why they are not let
//! in: they read nothing else, and would try again and again.

/// What such a client's `connect_error` event says.
const MESSAGE: &str = "Custom parsers are not spoken here; leave the option parser out";

/// The code that goes with it.
const CODE: &str = "bad_request";

/// A map of up to fifteen fields.
const SMALL_MAP: u8 = 0x80;

/// A string of up to 31 bytes.
const SMALL_STRING: u8 = 0xa0;

/// A string whose length is one byte.
const STRING: u8 = 0xd9;

/// The namespace that a packet in `MessagePack` is about; `None` where it is no such packet.
pub(crate) fn namespace(packet: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\xa3nsp";
    if packet.first()? & 0xf0 != SMALL_MAP {
        return None;
    }
    // The data before it may hold anything, also a key that is called so.
    let at = packet
        .windows(KEY.len())
        .rposition(|window| window == KEY)?;
    let (kind, rest) = packet.get(at + KEY.len()..)?.split_first()?;
    let text = match *kind {
        STRING => {
            let (length, rest) = rest.split_first()?;
            rest.get(..usize::from(*length))?
        }
        kind if kind & 0xe0 == SMALL_STRING => rest.get(..usize::from(kind & 0x1f))?,
        _ => return None,
    };
    std::str::from_utf8(text)
        .ok()
        .filter(|text| text.starts_with('/'))
}

/// A `CONNECT_ERROR` packet for the namespace.
pub(crate) fn refusal(namespace: &str) -> Vec<u8> {
    let mut packet = vec![SMALL_MAP | 3];
    string("type", &mut packet);
    packet.push(4);
    string("nsp", &mut packet);
    string(namespace, &mut packet);
    string("data", &mut packet);
    packet.push(SMALL_MAP | 2);
    string("message", &mut packet);
    string(MESSAGE, &mut packet);
    string("data", &mut packet);
    packet.push(SMALL_MAP | 1);
    string("code", &mut packet);
    string(CODE, &mut packet);
    packet
}

/// Writes a string of up to 255 bytes.
fn string(text: &str, packet: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => packet.push(SMALL_STRING | length as u8),
        length => packet.extend([STRING, length as u8]),
    }
    packet.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_of_a_packet_is_found_behind_whatever_it_carries() {
        for name in ["/", "/chat", &format!("/{}", "x".repeat(200))] {
            let mut packet = b"\x83\xa4type\x00\xa4data\x81\xa3nsp\xa2/x\xa3nsp".to_vec();
            string(name, &mut packet);
            assert_eq!(namespace(&packet), Some(name));
        }
    }

    #[test]
    fn what_is_no_packet_in_messagepack_has_no_namespace() {
        for bytes in [
            &b""[..],
            b"\x83",
            b"\x83\xa3nsp",
            b"\x83\xa3nsp\xa5/a",
            b"\x83\xa3nsp\xd9",
            b"\x83\xa3nsp\xd9\xff/",
            b"\x83\xa3nsp\xa1x",
            b"\x83\xa3nsp\x01",
            b"\x83\xa3nsp\xa2\xff\xff",
            b"nsp\xa3nsp\xa1/",
        ] {
            assert_eq!(namespace(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_namespace_and_says_what_to_do() {
        let packet = refusal("/chat");
        assert_eq!(namespace(&packet), Some("/chat"));
        assert!(packet.starts_with(b"\x83\xa4type\x04"));
        assert!(
            packet
                .windows(MESSAGE.len())
                .any(|window| window == MESSAGE.as_bytes())
        );
    }
}
