//! Tokens for development.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Map, Value};

use super::MAX_USER_BYTES;
use super::TokenRules;
use super::key::MIN_SECRET_BYTES;

/// Why no token is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key is not a shared secret that is long enough.
    #[error(
        "only a shared secret of 32 bytes or more can sign a token here: with a public key or `jwksUri`, get one from whoever has the private key"
    )]
    NotShared,
    /// None of the allowed algorithms is one that is signed with here.
    #[error("`auth.jwt.algorithms` does not list HS256: add it, or sign the token elsewhere")]
    Algorithm,
    /// The user's name is empty or too long.
    #[error("a user's name has 1 to 256 bytes: give another one")]
    User,
    /// The claims could not be signed.
    #[error("the claims could not be signed: check that they are plain JSON")]
    Claims,
}

/// Signs a token (HS256) that an [`Authenticator`](super::Authenticator) with the same rules and
/// secret accepts from `now`, in seconds since 1970, until `lifetime` has passed.
///
/// It has the user, the issuer and audience that the rules ask for, `iat` and `exp`, and then
/// `claims`, of which those of the same name win.
pub fn sign_development_token(
    rules: &TokenRules,
    secret: &[u8],
    user: &str,
    claims: Map<String, Value>,
    lifetime: Duration,
    now: u64,
) -> Result<String, SignError> {
    let secret = shared_secret(secret)?;
    if !rules.algorithms.is_empty() && !rules.algorithms.contains(&super::Algorithm::HS256) {
        return Err(SignError::Algorithm);
    }
    if !(1..=MAX_USER_BYTES).contains(&user.len()) {
        return Err(SignError::User);
    }
    let mut all = Map::new();
    all.insert("iat".to_owned(), now.into());
    all.insert(
        "exp".to_owned(),
        now.saturating_add(lifetime.as_secs()).into(),
    );
    for (name, value) in [("iss", &rules.issuer), ("aud", &rules.audience)] {
        if let Some(value) = value {
            all.insert(name.to_owned(), value.as_ref().into());
        }
    }
    all.insert(rules.user_claim.as_ref().to_owned(), user.into());
    all.extend(claims);
    encode(&Header::default(), &all, &EncodingKey::from_secret(secret))
        .map_err(|_| SignError::Claims)
}

fn shared_secret(bytes: &[u8]) -> Result<&[u8], SignError> {
    let secret = super::key_set::shared_secret(bytes).ok_or(SignError::NotShared)?;
    (secret.len() >= MIN_SECRET_BYTES)
        .then_some(secret)
        .ok_or(SignError::NotShared)
}
