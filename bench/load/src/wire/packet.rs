//! The Engine.IO 4 and Socket.IO 5 packets that a benchmark meets, all in text frames.

/// A packet of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// Engine.IO `open`: the handshake's answer.
    Open,
    /// Engine.IO `ping`, to be answered with a pong.
    Ping,
    /// Socket.IO CONNECT: the namespace is open.
    Connected,
    /// Socket.IO `CONNECT_ERROR` or DISCONNECT, with its text.
    Refused(&'a [u8]),
    /// Socket.IO ACK, with the JSON array it carries.
    Ack(&'a [u8]),
    /// Socket.IO EVENT, with the JSON array it carries.
    Event(&'a [u8]),
    /// Anything else; no scenario waits for it.
    Other,
}

/// Tells which packet `text` is. Looks at no more than that needs.
pub(crate) fn parse(text: &[u8]) -> Packet<'_> {
    match text {
        [b'4', b'2', event @ ..] => Packet::Event(event),
        [b'4', b'3', ack @ ..] => Packet::Ack(without_id(ack)),
        [b'4', b'0', ..] => Packet::Connected,
        [b'4', b'1' | b'4', reason @ ..] => Packet::Refused(reason),
        [b'0', ..] => Packet::Open,
        [b'2'] => Packet::Ping,
        _ => Packet::Other,
    }
}

fn without_id(ack: &[u8]) -> &[u8] {
    let digits = ack.iter().take_while(|byte| byte.is_ascii_digit()).count();
    ack.get(digits..).unwrap_or_default()
}

/// Whether an acknowledgement says `ok: true`.
pub(crate) fn is_ok(answer: &[u8]) -> bool {
    const USUAL: &[u8] = br#"[{"ok":true"#;
    const ANYWHERE: &[u8] = br#""ok":true"#;
    answer.starts_with(USUAL) || answer.windows(ANYWHERE.len()).any(|part| part == ANYWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packets_of_a_set_up_are_told_apart() {
        assert_eq!(parse(br#"0{"sid":"x"}"#), Packet::Open);
        assert_eq!(parse(br#"40{"sid":"x"}"#), Packet::Connected);
        assert_eq!(
            parse(br#"44{"message":"no"}"#),
            Packet::Refused(br#"{"message":"no"}"#)
        );
        assert_eq!(parse(b"2"), Packet::Ping);
        assert_eq!(parse(b"6"), Packet::Other);
        assert_eq!(parse(b""), Packet::Other);
    }

    #[test]
    fn an_ack_is_given_without_its_number() {
        assert_eq!(
            parse(br#"4312[{"ok":true}]"#),
            Packet::Ack(br#"[{"ok":true}]"#)
        );
    }

    #[test]
    fn an_ack_is_ok_wherever_the_server_puts_the_field() {
        assert!(is_ok(br#"[{"ok":true,"room":"r"}]"#));
        assert!(is_ok(br#"[{"room":"r","ok":true}]"#));
        assert!(!is_ok(br#"[{"ok":false,"error":{"code":"room_denied"}}]"#));
    }
}
