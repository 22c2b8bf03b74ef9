//! The commands and replies of Centrifugo's JSON protocol that a benchmark meets.

use super::packet::Packet;

/// How a push of a publication begins, up to the channel's name.
const PUSH: &[u8] = br#"{"push":{"channel":""#;
/// What is between the channel's name and the publication's data.
const PUBLICATION: &[u8] = br#","pub":{"data":"#;
/// How the reply to a connect command begins; its number is always 1.
const CONNECTED: &[u8] = br#"{"id":1,"connect":"#;
/// What an accepted command is reported as: the acknowledgement that the other servers write.
const ACCEPTED: &[u8] = br#"[{"ok":true}]"#;

/// The first line of `text` and what follows it; `None` when there is one line only.
pub(super) fn first_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let after = text.get(end + 1..).filter(|after| !after.is_empty())?;
    Some((text.get(..end)?, after))
}

/// Tells which packet a line is. An event is given as the data of its publication and what follows.
pub(super) fn parse(line: &[u8]) -> Packet<'_> {
    if let Some(push) = line.strip_prefix(PUSH) {
        return publication(push).map_or(Packet::Other, Packet::Event);
    }
    let line = line.trim_ascii_end();
    if line == b"{}" {
        Packet::Ping
    } else if line.starts_with(CONNECTED) {
        Packet::Connected
    } else if line.starts_with(br#"{"id":1,"error":"#) {
        Packet::Refused(line)
    } else if line.starts_with(br#"{"id":"#) {
        Packet::Ack(answer(line))
    } else {
        Packet::Other
    }
}

/// What follows a publication's `"data":`.
fn publication(push: &[u8]) -> Option<&[u8]> {
    let end = push.iter().position(|byte| *byte == b'"')?;
    push.get(end + 1..)?.strip_prefix(PUBLICATION)
}

/// The reply to a subscription or a publication: itself when it is a refusal.
fn answer(line: &[u8]) -> &[u8] {
    const ERROR: &[u8] = br#","error":"#;
    let digits = line.iter().skip(6).take_while(|byte| byte.is_ascii_digit());
    let number = digits.count();
    let refused = line
        .get(6 + number..)
        .is_some_and(|rest| rest.starts_with(ERROR));
    if refused { line } else { ACCEPTED }
}

/// The parts of a connect command; the token stands between them.
pub(super) const CONNECT: [&[u8]; 2] = [br#"{"id":1,"connect":{"token":""#, br#""}}"#];
/// A connect command without a token.
pub(super) const CONNECT_ANONYMOUS: &[u8] = br#"{"id":1,"connect":{}}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::stamp::{self, Stamp};

    #[test]
    fn a_push_carries_its_stamp() {
        let stamp = Stamp {
            sequence: 7,
            intended: 9,
        };
        let mut data = stamp::blank(40);
        stamp.write(&mut data);
        let line = [PUSH, b"room", b"\"", PUBLICATION, &data, b"}}}"].concat();
        let Packet::Event(event) = parse(&line) else {
            panic!("not an event");
        };
        assert_eq!(Stamp::read(event), Some(stamp));
    }

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(parse(b"{}"), Packet::Ping);
        assert_eq!(
            parse(br#"{"id":1,"connect":{"client":"c","ping":25}}"#),
            Packet::Connected
        );
        let refused = br#"{"id":1,"error":{"code":109,"message":"token expired"}}"#;
        assert_eq!(parse(refused), Packet::Refused(refused));
        assert_eq!(parse(br#"{"id":12,"subscribe":{}}"#), Packet::Ack(ACCEPTED));
        let denied = br#"{"id":12,"error":{"code":103,"message":"permission denied"}}"#;
        assert_eq!(parse(denied), Packet::Ack(denied));
        assert_eq!(
            parse(br#"{"push":{"channel":"r","join":{}}}"#),
            Packet::Other
        );
    }
}
