//! What no longer counts before its time, as gateways tell each other by the bucket.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Decoded, token};

/// What can be revoked: other words are a newer version's.
const KINDS: [&str; 3] = ["token", "user", "session"];

/// One thing that no longer counts. All times are in seconds since 1970; `until` is when the
/// entry can be forgotten, since every token that it is about has expired by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Revocation {
    /// The token with this id (`jti`).
    Token {
        /// The token's id.
        id: Arc<str>,
        /// When the entry can be forgotten.
        until: u64,
    },
    /// All tokens of a user that were issued up to and in the second `issued`, and those that do
    /// not say when they were.
    User {
        /// The user's name.
        id: Arc<str>,
        /// The last second whose tokens are revoked.
        issued: u64,
        /// When the entry can be forgotten.
        until: u64,
    },
    /// A session, whatever its token.
    Session {
        /// The session's id.
        id: Arc<str>,
        /// When the entry can be forgotten.
        until: u64,
    },
}

impl Revocation {
    /// What the keys of all revocations in the bucket begin with.
    pub const PREFIX: &'static str = "revoked.";

    /// Its key in the bucket: two about the same thing have the same.
    pub fn key(&self) -> String {
        let (kind, id) = match self {
            Self::Token { id, .. } => ("token", id),
            Self::User { id, .. } => ("user", id),
            Self::Session { id, .. } => ("session", id),
        };
        format!("{}{kind}.{}", Self::PREFIX, token(id))
    }

    /// Writes it, as an entry of the bucket.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an entry that any version wrote.
    pub fn decode(bytes: &[u8]) -> Decoded<Self> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        if let Ok(revocation) = serde_json::from_slice(bytes) {
            return Decoded::Known(revocation);
        }
        match serde_json::from_slice::<Kind<'_>>(bytes) {
            Ok(Kind { kind }) if !KINDS.contains(&&*kind) => Decoded::Newer,
            _ => Decoded::Garbage,
        }
    }

    /// When it can be forgotten, in seconds since 1970.
    pub fn until(&self) -> u64 {
        match self {
            Self::Token { until, .. } | Self::User { until, .. } | Self::Session { until, .. } => {
                *until
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_that_a_bucket_takes() {
        let user = Revocation::User {
            id: "a.b c".into(),
            issued: 1,
            until: 2,
        };
        assert_eq!(user.key(), "revoked.user.a=2Eb=20c");
    }

    #[test]
    fn what_a_newer_version_revokes_is_told_from_garbage() {
        let read = |text: &str| Revocation::decode(text.as_bytes());
        let token = Revocation::Token {
            id: "t".into(),
            until: 1,
        };
        let more = r#"{"kind":"token","id":"t","until":1,"by":"ann"}"#;
        assert_eq!(read(more), Decoded::Known(token));
        assert_eq!(read(r#"{"kind":"room","id":"r"}"#), Decoded::Newer);
        for garbage in ["", "{}", r#"{"kind":"token"}"#, "[]"] {
            assert_eq!(read(garbage), Decoded::Garbage, "{garbage}");
        }
    }
}
