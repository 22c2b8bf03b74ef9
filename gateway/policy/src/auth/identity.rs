//! Who a connection belongs to.

use std::sync::{Arc, LazyLock};

/// Who a connection belongs to, as its token says.
///
/// It lives as long as its connection, so it is small: 64 bytes, the user's name, the token's id
/// and its claims as they were in the token. The claims are kept as text always, since a Room that
/// asks for them may come while the connection is open; they become values only while an access
/// rule looks at them.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    user: Arc<str>,
    token_id: Option<Arc<str>>,
    claims: Box<str>,
    expires_at: u64,
    issued_at: u64,
}

impl Identity {
    pub(crate) fn new(
        user: Arc<str>,
        token_id: Option<Arc<str>>,
        claims: Box<str>,
        expires_at: u64,
        issued_at: u64,
    ) -> Self {
        Self {
            user,
            token_id,
            claims,
            expires_at,
            issued_at,
        }
    }

    /// Of a connection without a token, where none is required: no user, no claims, no end.
    pub fn anonymous() -> Self {
        static NOBODY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));
        Self::new(Arc::clone(&NOBODY), None, Box::default(), u64::MAX, 0)
    }

    /// The same as another user, whom something else than the token names. Without a token, it was
    /// issued at `now`, in seconds since 1970.
    #[must_use]
    pub fn named(self, user: Arc<str>, now: u64) -> Self {
        if self.is_anonymous() {
            return Self::new(user, None, "{}".into(), self.expires_at, now);
        }
        Self { user, ..self }
    }

    /// The same, which ends at `expires_at` if not before.
    #[must_use]
    pub fn until(self, expires_at: u64) -> Self {
        let expires_at = self.expires_at.min(expires_at);
        Self { expires_at, ..self }
    }

    /// The user's name; empty for a connection without a token.
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Whether the connection has no user.
    pub fn is_anonymous(&self) -> bool {
        self.claims.is_empty()
    }

    /// The token's id (`jti`).
    pub fn token_id(&self) -> Option<&Arc<str>> {
        self.token_id.as_ref()
    }

    /// When the token ends, in seconds since 1970; `u64::MAX` without a token.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// When the token was issued (`iat`), in seconds since 1970; 0 when it does not say.
    pub fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// The token's claims, a JSON object; `{}` without a token.
    pub fn claims(&self) -> &str {
        if self.claims.is_empty() {
            "{}"
        } else {
            &self.claims
        }
    }
}

/// Shows who it is, and nothing of what the claims say.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("user", &self.user)
            .field("token_id", &self.token_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_stays_small() {
        assert!(size_of::<Identity>() <= 64, "{}", size_of::<Identity>());
    }

    #[test]
    fn a_connection_without_a_token_has_no_user_and_no_claims() {
        let nobody = Identity::anonymous();
        assert!(nobody.is_anonymous());
        assert_eq!((&**nobody.user(), nobody.claims()), ("", "{}"));
        assert_eq!(nobody.expires_at(), u64::MAX);
    }

    #[test]
    fn a_user_that_is_named_otherwise_is_as_good_as_one_of_a_token() {
        let named = Identity::anonymous().named("anna".into(), 7).until(9);
        assert!(!named.is_anonymous());
        assert_eq!((&**named.user(), named.claims()), ("anna", "{}"));
        assert_eq!((named.issued_at(), named.expires_at()), (7, 9));
        let token = Identity::new("bob".into(), None, r#"{"a":1}"#.into(), 5, 3);
        let named = token.named("anna".into(), 7).until(9);
        assert_eq!((&**named.user(), named.claims()), ("anna", r#"{"a":1}"#));
        assert_eq!((named.issued_at(), named.expires_at()), (3, 5));
    }

    #[test]
    fn its_debug_text_does_not_show_claims() {
        let identity = Identity::new("anna".into(), None, r#"{"salary":5}"#.into(), 1, 0);
        let text = format!("{identity:?}");
        assert!(text.contains("anna") && !text.contains("salary"));
    }
}
