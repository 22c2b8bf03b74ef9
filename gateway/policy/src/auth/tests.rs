//! Tokens, good and forged, against an [`Authenticator`](super::Authenticator).

mod claims;
mod forgeries;
mod keys;
mod published;
mod signing;

use serde_json::{Value, json};

use super::{Algorithm, AuthError, Authenticator, Identity, TokenRules};
use crate::testing;

const NOW: u64 = 1_700_000_000;

const ALL: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

fn claims() -> Value {
    json!({"sub": "anna", "exp": NOW + 60, "jti": "t1", "iat": NOW, "roles": ["agent"]})
}

/// Checks tokens with the key of `algorithm`.
fn authenticator(algorithm: Algorithm, rules: TokenRules) -> Authenticator {
    Authenticator::with_key(rules, &testing::key_text(algorithm)).unwrap()
}

fn authenticate(claims: &Value, rules: TokenRules) -> Result<Identity, AuthError> {
    let token = testing::token(Algorithm::HS256, claims);
    authenticator(Algorithm::HS256, rules).authenticate(&token, NOW)
}
