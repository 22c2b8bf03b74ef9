//! From a new socket to a joined connection, one answer at a time as the stock client does it:
//! HTTP upgrade, Engine.IO open, Socket.IO CONNECT, a `join` a room. Centrifugo has no open.

use crate::error::LossReason;
use crate::wire::dialect::Dialect;
use crate::wire::outbox::Outbox;
use crate::wire::packet::{self, Packet};

/// What a new connection is to become.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) token: Option<String>,
    /// The rooms to join; without one the connection is ready when it is connected.
    pub(crate) rooms: Vec<String>,
}

/// How far the set-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Upgrading,
    Opening,
    Connecting,
    /// The number of rooms that are joined.
    Joining(usize),
    Ready,
}

/// The upgrade request to `host`.
pub(crate) fn request(host: &str, dialect: Dialect) -> Vec<u8> {
    let path = dialect.path();
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: c2x1aWNlLWxvYWQtdGVzdA==\r\n\r\n"
    )
    .into_bytes()
}

/// Reads the upgrade's answer; the length of it once it is whole.
pub(crate) fn response(bytes: &[u8]) -> Result<Option<usize>, LossReason> {
    let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") else {
        return Ok(None);
    };
    if bytes.starts_with(b"HTTP/1.1 101") {
        return Ok(Some(end + 4));
    }
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    Err(LossReason::Upgrade(text(line)))
}

/// The set-up once the connection is upgraded.
pub(crate) fn upgraded(dialect: Dialect, wish: &Wish, outbox: &mut Outbox) -> Phase {
    if dialect.server_begins() {
        return Phase::Opening;
    }
    outbox.connect(wish.token.as_deref());
    Phase::Connecting
}

/// Takes the set-up one packet further.
pub(crate) fn advance(
    phase: Phase,
    packet: &Packet<'_>,
    wish: &Wish,
    outbox: &mut Outbox,
) -> Result<Phase, LossReason> {
    match (phase, packet) {
        (_, Packet::Refused(reason)) => Err(LossReason::Refused(text(reason))),
        (Phase::Opening, Packet::Open) => {
            outbox.connect(wish.token.as_deref());
            Ok(Phase::Connecting)
        }
        (Phase::Connecting, Packet::Connected) => Ok(join(0, wish, outbox)),
        (Phase::Joining(joined), Packet::Ack(answer)) if packet::is_ok(answer) => {
            Ok(join(joined + 1, wish, outbox))
        }
        (Phase::Joining(_), Packet::Ack(answer)) => Err(LossReason::Join(text(answer))),
        _ => Ok(phase),
    }
}

fn join(joined: usize, wish: &Wish, outbox: &mut Outbox) -> Phase {
    let Some(room) = wish.rooms.get(joined) else {
        return Phase::Ready;
    };
    outbox.join(room);
    Phase::Joining(joined)
}

/// What the server wrote, cut to what a person reads.
pub(crate) fn text(bytes: &[u8]) -> String {
    const READABLE: usize = 200;
    String::from_utf8_lossy(bytes.get(..READABLE).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(phase: Phase, packet: &Packet<'_>, rooms: &[&str]) -> Result<Phase, String> {
        let wish = Wish {
            token: None,
            rooms: rooms.iter().map(ToString::to_string).collect(),
        };
        advance(phase, packet, &wish, &mut Outbox::unmasked()).map_err(|reason| reason.to_string())
    }

    #[test]
    fn a_set_up_goes_from_open_to_joined() {
        let ok: &[u8] = br#"[{"ok":true}]"#;
        assert_eq!(
            step(Phase::Opening, &Packet::Open, &["r"]),
            Ok(Phase::Connecting)
        );
        assert_eq!(
            step(Phase::Connecting, &Packet::Connected, &["r"]),
            Ok(Phase::Joining(0))
        );
        assert_eq!(
            step(Phase::Joining(0), &Packet::Event(b"[]"), &["r"]),
            Ok(Phase::Joining(0))
        );
        assert_eq!(
            step(Phase::Joining(0), &Packet::Ack(ok), &["r"]),
            Ok(Phase::Ready)
        );
    }

    #[test]
    fn a_connection_is_ready_when_it_has_joined_all_its_rooms() {
        let ack = Packet::Ack(br#"[{"ok":true}]"#);
        let rooms = ["a", "b"];
        assert_eq!(step(Phase::Joining(0), &ack, &rooms), Ok(Phase::Joining(1)));
        assert_eq!(step(Phase::Joining(1), &ack, &rooms), Ok(Phase::Ready));
    }

    #[test]
    fn a_connection_without_a_room_is_ready_when_connected() {
        assert_eq!(
            step(Phase::Connecting, &Packet::Connected, &[]),
            Ok(Phase::Ready)
        );
    }

    #[test]
    fn a_refusal_says_what_the_server_said() {
        let refused = step(Phase::Connecting, &Packet::Refused(b"bad token"), &[]);
        assert_eq!(refused, Err("the server refused it: bad token".to_owned()));
        let denied = step(
            Phase::Joining(0),
            &Packet::Ack(br#"[{"ok":false}]"#),
            &["r"],
        );
        assert_eq!(
            denied,
            Err(r#"the server answered the join with [{"ok":false}]"#.to_owned())
        );
    }

    #[test]
    fn an_upgrade_is_whole_at_its_empty_line() {
        assert_eq!(response(b"HTTP/1.1 101 Switching").unwrap(), None);
        assert_eq!(
            response(b"HTTP/1.1 101 S\r\nA: b\r\n\r\n0{}").unwrap(),
            Some(24)
        );
        let refused = response(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap_err();
        assert!(refused.to_string().contains("503 Service Unavailable"));
    }
}
