//! The two names of a session.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// A session's private name: whoever knows it may recover the session. Never shown or logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pid([u8; 16]);

impl Pid {
    /// A new private name, by chance.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Reads a pid as clients send it.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// The pid as clients get it: 22 characters.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The public name that belongs to it.
    pub fn session(&self) -> SessionId {
        let mut id = [0; 12];
        id.copy_from_slice(&Sha256::digest(self.0)[..12]);
        SessionId(id)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pid(of {})", self.session())
    }
}

/// A session's public name, Socket.IO's `socket.id`. It stays the same when the session is
/// recovered, and tells nothing of the [`Pid`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 12]);

impl SessionId {
    /// Reads what [`fmt::Display`] wrote: 16 characters.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a session id"))
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; 18];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    bytes.get(..len)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_reads_back_as_it_was_revealed() {
        let pid = Pid::random();
        assert_eq!(Pid::parse(&pid.reveal()), Some(pid));
    }

    #[test]
    fn a_session_has_one_public_id() {
        let pid = Pid::random();
        assert_eq!(
            SessionId::parse(&pid.session().to_string()),
            Some(pid.session())
        );
    }

    #[test]
    fn a_pid_is_not_shown_in_logs() {
        let pid = Pid::random();
        assert!(!format!("{pid:?}").contains(&pid.reveal()));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "short", &"A".repeat(40), "é"] {
            assert!(Pid::parse(text).is_none() && SessionId::parse(text).is_none());
        }
    }
}
