//! Who may call.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

/// The shortest key that is taken, in bytes.
const MIN_KEY_BYTES: usize = 16;

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A key so short could be guessed.
    #[error("an API key is shorter than 16 bytes; make one with: openssl rand -base64 32")]
    TooShort,
    /// A header could not carry it.
    #[error(
        "an API key has a space or another character that an Authorization header cannot carry; make one with: openssl rand -base64 32"
    )]
    Unprintable,
}

/// The keys that are taken. Several can be in force while one replaces another.
///
/// Only their SHA-256 is kept. Asking takes the same time whichever key is right and however
/// much of a wrong one is.
#[derive(Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// These keys, each of at least 16 bytes of visible ASCII. White space around
    /// a key, such as a file's last line break, does not count; neither do empty keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyError> {
        let keys = keys
            .into_iter()
            .map(str::trim)
            .filter(|key| !key.is_empty());
        keys.map(digest).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none, so that nobody may call.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contain(&self, key: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(key).into();
        let any = |found: Choice, key: &[u8; 32]| found | key.ct_eq(&given);
        self.0.iter().fold(Choice::from(0), any).into()
    }
}

fn digest(key: &str) -> Result<[u8; 32], KeyError> {
    if key.len() < MIN_KEY_BYTES {
        return Err(KeyError::TooShort);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyError::Unprintable);
    }
    Ok(Sha256::digest(key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_several_keys_is_taken() {
        let keys = Keys::new(["old-key-0123456789\n", "new-key-0123456789", ""]).unwrap();
        assert!(keys.contain("old-key-0123456789") && keys.contain("new-key-0123456789"));
        assert!(!keys.contain("old-key-012345678") && !keys.contain(""));
    }

    #[test]
    fn no_key_lets_nobody_in() {
        let keys = Keys::new(["", " \n"]).unwrap();
        assert!(keys.is_empty() && !keys.contain(""));
    }

    #[test]
    fn a_weak_or_unsendable_key_is_refused() {
        assert_eq!(Keys::new(["short"]).unwrap_err(), KeyError::TooShort);
        assert_eq!(
            Keys::new(["a key with spaces in it"]).unwrap_err(),
            KeyError::Unprintable
        );
    }

    #[test]
    fn keys_are_not_shown_in_logs() {
        assert_eq!(
            format!("{:?}", Keys::new(["old-key-0123456789"]).unwrap()),
            "Keys(1)"
        );
    }
}
