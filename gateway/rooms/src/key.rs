//! What rooms are called.

use std::{fmt, sync::Arc};

/// The longest name of a room, user or event, in bytes.
pub const MAX_NAME: usize = 256;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// The name is longer than [`MAX_NAME`].
    TooLong,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty; give it at least one character",
            Self::TooLong => "the name is longer than 256 bytes of UTF-8; shorten it",
        })
    }
}

/// Checks a name of a room, user or event: any UTF-8 of 1 to [`MAX_NAME`] bytes.
pub fn check_name(name: &str) -> Result<&str, NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        1..=MAX_NAME => Ok(name),
        _ => Err(NameError::TooLong),
    }
}

/// A room: its namespace and its name there. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey {
    /// The Socket.IO namespace, `/` being the first.
    pub namespace: Arc<str>,
    /// The room's name.
    pub name: Arc<str>,
}

impl RoomKey {
    /// The room `name` of `namespace`.
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.namespace, self.name)
    }
}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_any_utf8_within_its_bound() {
        assert_eq!(check_name("žluťoučký.>*"), Ok("žluťoučký.>*"));
        assert_eq!(check_name(&"x".repeat(256)).map(str::len), Ok(256));
    }

    #[test]
    fn an_empty_or_long_name_is_refused() {
        assert_eq!(check_name(""), Err(NameError::Empty));
        assert_eq!(check_name(&"x".repeat(257)), Err(NameError::TooLong));
    }
}
