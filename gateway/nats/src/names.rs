//! What subjects, streams and buckets are called.

use sluice_rooms::RoomKey;

/// The names that one cluster uses in NATS.
///
/// Subjects begin with `sluice.<namespace>.<cluster>`, so that clusters share a NATS without
/// meeting, and permissions can be given by prefix.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    stem: String,
}

/// A room as two tokens of a subject: its namespace and its name.
pub(crate) type Place = std::sync::Arc<str>;

impl Names {
    /// The names of the cluster `cluster` in the Kubernetes namespace `namespace`.
    pub fn new(namespace: &str, cluster: &str) -> Self {
        let (namespace, cluster) = (token(namespace), token(cluster));
        Self {
            prefix: format!("sluice.{namespace}.{cluster}"),
            stem: format!("SLUICE_{namespace}_{cluster}"),
        }
    }

    /// What every subject begins with, without a dot at the end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `<prefix>.<kind>.<rest>`.
    pub fn subject(&self, kind: &str, rest: &str) -> String {
        format!("{}.{kind}.{rest}", self.prefix)
    }

    /// The stream of the rooms' histories.
    pub fn rooms(&self) -> String {
        format!("{}_ROOMS", self.stem)
    }

    /// The stream of stored sessions.
    pub fn sessions(&self) -> String {
        format!("{}_SESSIONS", self.stem)
    }

    /// The bucket of policy and revocations.
    pub fn control(&self) -> String {
        format!("{}_CONTROL", self.stem)
    }

    /// The kind of a subject of this cluster, and what follows it.
    pub fn split<'a>(&self, subject: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = subject.strip_prefix(&*self.prefix)?.strip_prefix('.')?;
        Some(rest.split_once('.').unwrap_or((rest, "")))
    }
}

/// Where a room is among the subjects.
pub(crate) fn place(room: &RoomKey) -> Place {
    let mut text = String::with_capacity(room.namespace.len() + room.name.len() + 8);
    encode(&room.namespace, &mut text);
    text.push('.');
    encode(&room.name, &mut text);
    text.into()
}

/// The room at a place; `None` where nothing of ours is called so.
pub(crate) fn room(place: &str) -> Option<RoomKey> {
    let (namespace, name) = place.split_once('.')?;
    Some(RoomKey::new(untoken(namespace)?, untoken(name)?))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_readable() {
        assert_eq!(token("team-red_7"), "team-red_7");
        assert_eq!(&*place(&RoomKey::new("/", "a.b")), "=2F.a=2Eb");
    }

    #[test]
    fn clusters_of_one_name_in_two_namespaces_do_not_meet() {
        let (a, b) = (Names::new("a", "chat"), Names::new("b", "chat"));
        assert_ne!(a.rooms(), b.rooms());
        assert_eq!(a.split(&b.subject("in", "x")), None);
        assert_eq!(a.split(&a.subject("in", "x.y")), Some(("in", "x.y")));
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
    }
}
