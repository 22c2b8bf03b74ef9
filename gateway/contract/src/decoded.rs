//! What comes of reading what others wrote.

use serde::Deserialize;

use crate::WireVersion;

/// What comes of reading something that another gateway wrote, maybe one of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<T> {
    /// It is this. What it has beyond that was skipped.
    Known(T),
    /// It is of a form that a newer version writes and this one cannot read: it is skipped, and
    /// counted apart from garbage.
    Newer,
    /// Nobody writes such.
    Garbage,
}

impl<T> Decoded<T> {
    /// What was read, if it was.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(it) => Some(it),
            Self::Newer | Self::Garbage => None,
        }
    }

    /// Whether it was.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// What was read, made into something else.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Decoded<U> {
        self.and_then(|it| Decoded::Known(make(it)))
    }

    /// What was read, made into something else where that can be.
    pub fn and_then<U>(self, make: impl FnOnce(T) -> Decoded<U>) -> Decoded<U> {
        match self {
            Self::Known(it) => make(it),
            Self::Newer => Decoded::Newer,
            Self::Garbage => Decoded::Garbage,
        }
    }
}

impl<T> From<Option<T>> for Decoded<T> {
    /// Nothing is garbage.
    fn from(read: Option<T>) -> Self {
        read.map_or(Self::Garbage, Self::Known)
    }
}

/// Reads JSON that may be of a newer version: one that says so by `wire`.
pub(crate) fn json<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    wire: impl FnOnce(&T) -> WireVersion,
) -> Decoded<T> {
    #[derive(Deserialize)]
    struct Says {
        #[serde(default)]
        wire: WireVersion,
    }
    let is_newer = |wire| wire > WireVersion::CURRENT;
    match serde_json::from_slice::<T>(bytes) {
        Ok(read) if is_newer(wire(&read)) => Decoded::Newer,
        Ok(read) => Decoded::Known(read),
        Err(_) => match serde_json::from_slice::<Says>(bytes) {
            Ok(says) if is_newer(says.wire) => Decoded::Newer,
            _ => Decoded::Garbage,
        },
    }
}

/// Whether JSON that could not be read says something of a kind beyond `known`: its field `what` is
/// another kind's name, or an object with that name only.
pub fn is_of_newer_kind(bytes: &[u8], known: &[&str]) -> bool {
    #[derive(Deserialize)]
    struct Says<'a> {
        #[serde(borrow)]
        what: Kind<'a>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kind<'a> {
        Plain(#[serde(borrow)] std::borrow::Cow<'a, str>),
        Full(serde_json::Map<String, serde_json::Value>),
    }
    match serde_json::from_slice::<Says<'_>>(bytes) {
        Ok(Says {
            what: Kind::Plain(kind),
        }) => !known.contains(&&*kind),
        Ok(Says {
            what: Kind::Full(kinds),
        }) => {
            let mut kinds = kinds.keys();
            let first = kinds.next();
            first.is_some_and(|kind| kinds.next().is_none() && !known.contains(&&**kind))
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_says_is_told_from_garbage() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Form {
            user: Box<str>,
            #[serde(default)]
            wire: WireVersion,
        }
        let read = |text: &'static str| json::<Form>(text.as_bytes(), |form| form.wire);
        let known = read(r#"{"user":"ann","more":[1]}"#).known().unwrap();
        assert_eq!(&*known.user, "ann");
        assert_eq!(read(r#"{"user":"ann","wire":99}"#), Decoded::Newer);
        assert_eq!(read(r#"{"users":["ann"],"wire":99}"#), Decoded::Newer);
        for garbage in [
            "",
            "1",
            "[]",
            "{}",
            r#"{"users":["ann"]}"#,
            r#"{"wire":"x"}"#,
        ] {
            assert_eq!(read(garbage), Decoded::Garbage, "{garbage}");
        }
    }

    #[test]
    fn a_kind_of_a_newer_version_is_told_from_a_known_one_that_is_wrong() {
        let newer = |text: &str| is_of_newer_kind(text.as_bytes(), &["same", "all"]);
        assert!(newer(r#"{"gateway":"0000000a","what":"later"}"#));
        assert!(newer(r#"{"what":{"later":{"x":1}}}"#));
        for known in [
            r#"{"what":"same"}"#,
            r#"{"what":{"all":1}}"#,
            r#"{"what":{}}"#,
            r#"{"what":{"a":1,"b":2}}"#,
            r#"{"what":1}"#,
            "{}",
            "",
        ] {
            assert!(!newer(known), "{known}");
        }
    }
}
