//! Who may connect: tokens, keys and revocations.

mod algorithm;
mod claims;
mod development;
mod error;
mod identity;
mod jwks;
mod key;
mod key_set;
mod revocations;
mod token;

#[cfg(test)]
mod tests;

pub use development::{SignError, sign_development_token};
pub use error::AuthError;
pub use identity::Identity;
pub use jwks::{Jwks, JwksError, JwksTiming};
pub use key::{KeyError, MIN_SECRET_BYTES};
pub use revocations::{Revocations, RevocationsFull};
pub use token::MAX_TOKEN_BYTES;

use std::sync::Arc;
use std::time::Duration;

pub use sluice_crds::cluster::Algorithm;

use claims::{Claims, Wanted};
use key_set::KeySet;
use token::{Token, scratch};

/// The longest name of a user, in bytes.
pub const MAX_USER_BYTES: usize = 256;

/// What a token must be to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The `iss` that it must have; without one, any.
    pub issuer: Option<Box<str>>,
    /// The audience that its `aud` must be or contain; without one, any.
    pub audience: Option<Box<str>>,
    /// The algorithms it may be signed with; when empty, those that fit the key.
    pub algorithms: Vec<Algorithm>,
    /// The claim that names the user.
    pub user_claim: Box<str>,
    /// How far the clocks of its maker and of the gateway may differ.
    pub leeway: Duration,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            algorithms: Vec::new(),
            user_claim: "sub".into(),
            leeway: Duration::ZERO,
        }
    }
}

/// Checks tokens. It is cheap to clone, can be asked from every worker at once, and does nothing
/// but compute: no lock, no I/O, and no allocation that does not end up in the [`Identity`].
#[derive(Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

struct Inner {
    rules: TokenRules,
    leeway_seconds: u64,
    keys: Keys,
}

enum Keys {
    Fixed(KeySet),
    Published(Arc<Jwks>),
}

impl Authenticator {
    /// Checks tokens with a fixed key: the bytes of a Secret, which are public keys in PEM, a
    /// JSON Web Key Set, or, being neither, a shared secret of at least 32 bytes.
    pub fn with_key(rules: TokenRules, key: &[u8]) -> Result<Self, KeyError> {
        let keys = KeySet::from_secret(key, &rules.algorithms)?;
        Ok(Self::new(rules, Keys::Fixed(keys)))
    }

    /// Checks tokens with the keys that an identity provider publishes.
    ///
    /// The algorithms come with the key set, see [`Jwks::new`]; those of `rules` are not asked.
    pub fn with_jwks(rules: TokenRules, jwks: Arc<Jwks>) -> Self {
        Self::new(rules, Keys::Published(jwks))
    }

    fn new(rules: TokenRules, keys: Keys) -> Self {
        let leeway_seconds = rules.leeway.as_secs();
        Self {
            inner: Arc::new(Inner {
                rules,
                leeway_seconds,
                keys,
            }),
        }
    }

    /// What a token must be to count.
    pub fn rules(&self) -> &TokenRules {
        &self.inner.rules
    }

    /// The published keys, where that is what tokens are checked with.
    pub fn jwks(&self) -> Option<&Arc<Jwks>> {
        match &self.inner.keys {
            Keys::Fixed(_) => None,
            Keys::Published(jwks) => Some(jwks),
        }
    }

    /// Checks a token. `now` is in seconds since 1970.
    ///
    /// It must be a JWS in compact form (RFC 7515) of at most [`MAX_TOKEN_BYTES`], signed with
    /// an allowed algorithm by a key of that algorithm's own kind; its `iss` and `aud` must be
    /// those of the rules; it must have an `exp`, which must lie after `now`, and an `nbf`, if it
    /// has one, must not, both but for the leeway; and it must name a user.
    ///
    /// [`AuthError::UnknownKey`] can mean that the published keys have changed: wait for
    /// [`Jwks::refresh`] and try once more. What is revoked is not asked here, but of
    /// [`Revocations`].
    pub fn authenticate(&self, token: &str, now: u64) -> Result<Identity, AuthError> {
        let token = Token::split(token)?;
        self.verify_signature(&token)?;
        let payload = token.payload()?;
        let rules = &self.inner.rules;
        let wanted = Wanted {
            audience: rules.audience.as_deref(),
            user_claim: &rules.user_claim,
        };
        let claims = wanted.read(&payload).map_err(|_| AuthError::Malformed)?;
        let expires_at = self.check(&claims, now)?;
        let user = claims
            .user
            .filter(|user| (1..=MAX_USER_BYTES).contains(&user.len()))
            .ok_or(AuthError::UserMissing)?;
        let user = Arc::from(&*user);
        let token_id = claims.token_id.as_deref().map(Arc::from);
        let issued_at = claims.issued_at.unwrap_or(0);
        Ok(Identity::new(
            user, token_id, payload, expires_at, issued_at,
        ))
    }

    fn verify_signature(&self, token: &Token<'_>) -> Result<(), AuthError> {
        let (mut header, mut signature) = (scratch(), scratch());
        let header = token.header(&mut header)?;
        let algorithm = algorithm::named(&header.alg.0).ok_or(AuthError::Algorithm)?;
        let signature = token.signature(&mut signature)?;
        let id = header.kid.as_ref().map(|id| &*id.0);
        let signed = token.signed.as_bytes();
        match &self.inner.keys {
            Keys::Fixed(keys) => keys.verify(id, algorithm, signed, signature),
            Keys::Published(jwks) => jwks.keys().verify(id, algorithm, signed, signature),
        }
    }

    /// Checks all but the user, and says when the token ends.
    fn check(&self, claims: &Claims<'_>, now: u64) -> Result<u64, AuthError> {
        let Inner {
            rules,
            leeway_seconds: leeway,
            ..
        } = &*self.inner;
        let expires_at = claims.expires_at.ok_or(AuthError::Malformed)?;
        if now >= expires_at.saturating_add(*leeway) {
            return Err(AuthError::Expired);
        }
        if claims
            .not_before
            .is_some_and(|from| now.saturating_add(*leeway) < from)
        {
            return Err(AuthError::NotYetValid);
        }
        if rules.issuer.is_some() && rules.issuer.as_deref() != claims.issuer.as_deref() {
            return Err(AuthError::Issuer);
        }
        if rules.audience.is_some() && !claims.is_for_audience {
            return Err(AuthError::Audience);
        }
        Ok(expires_at)
    }
}

/// Shows the rules, and nothing of the keys.
impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator")
            .field("rules", &self.inner.rules)
            .finish_non_exhaustive()
    }
}
