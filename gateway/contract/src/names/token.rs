//! Names as tokens of subjects.

use std::sync::Arc;

/// A name as one token of a subject: letters, digits, `-` and `_` as they are, every other byte
/// of its UTF-8 as `=` and two hexadecimal digits.
pub fn token(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    encode(name, &mut text);
    text
}

fn encode(name: &str, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            text.push(byte.into());
        } else {
            text.push('=');
            text.push(DIGITS[usize::from(byte >> 4)].into());
            text.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
}

/// The name that [`token`] wrote; `None` where it wrote no such thing.
pub fn untoken(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    let name = String::from_utf8(bytes).ok()?;
    (self::token(&name) == token).then_some(name)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Where a room is among the subjects: the tokens of its namespace and of its name.
pub fn place(namespace: &str, room: &str) -> Arc<str> {
    let mut text = String::with_capacity(namespace.len() + room.len() + 8);
    encode(namespace, &mut text);
    text.push('.');
    encode(room, &mut text);
    text.into()
}

/// The namespace and the name of the room at a place; `None` where [`place`] gives no such one.
pub fn at_place(place: &str) -> Option<(String, String)> {
    let (namespace, room) = place.split_once('.')?;
    Some((untoken(namespace)?, untoken(room)?))
}

/// The id under which the stream knows a message of the room at a place: of two of one room with
/// the same `id`, it stores one.
///
/// Where the ids of `publisher` are not those of the application, they are kept apart from
/// [`WireVersion::ID_OF_PUBLISHER`](crate::WireVersion::ID_OF_PUBLISHER) on. The application's have
/// the same form in all versions.
pub fn message_id(place: &str, id: &str, publisher: Option<&str>) -> String {
    let id = token(id);
    match publisher {
        None => format!("{place}.{id}"),
        Some(publisher) => format!("{place}.{id}.{}", token(publisher)),
    }
}

/// The id of a message for the stream where it knows `id` by a message that is gone, which had this
/// offset: another one, and the same for all who find that.
pub fn message_id_after(id: &str, offset: u64) -> String {
    // No token has this character, so what follows it is no part of the id.
    let id = id.split_once('~').map_or(id, |(id, _)| id);
    format!("{id}~{offset}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_readable() {
        assert_eq!(token("team-red_7"), "team-red_7");
        assert_eq!(&*place("/", "a.b"), "=2F.a=2Eb");
    }

    #[test]
    fn an_id_that_is_used_again_names_the_message_that_is_gone() {
        let id = message_id("=2F.a", "m~1", None);
        assert_eq!(message_id_after(&id, 7), "=2F.a.m=7E1~7");
        assert_eq!(message_id_after("=2F.a.m=7E1~7", 9), "=2F.a.m=7E1~9");
    }

    #[test]
    fn a_message_has_its_id_in_its_room() {
        assert_eq!(message_id("=2F.a", "m.1", None), "=2F.a.m=2E1");
        let anns = message_id("=2F.a", "m.1", Some("user:ann"));
        assert_eq!(anns, "=2F.a.m=2E1.user=3Aann");
    }

    #[test]
    fn what_no_name_is_written_as_is_refused() {
        for text in ["=", "=2", "=2f", "=41", "a b", "=FF"] {
            assert_eq!(untoken(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_back_from_its_token(name in ".{0,64}") {
            let text = token(&name);
            prop_assert!(!text.contains(['.', '*', '>', ' ']));
            prop_assert_eq!(untoken(&text), Some(name));
        }

        #[test]
        fn a_room_reads_back_from_its_place(namespace in ".{0,32}", room in ".{0,32}") {
            prop_assert_eq!(at_place(&place(&namespace, &room)), Some((namespace, room)));
        }
    }
}
