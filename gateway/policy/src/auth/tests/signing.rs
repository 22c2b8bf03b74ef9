//! Tokens for development.

use std::time::Duration;

use serde_json::{Map, json};

use super::*;
use crate::auth::{SignError, sign_development_token};

fn signed(rules: &TokenRules, secret: &[u8], user: &str) -> Result<String, SignError> {
    let claims = Map::from_iter([("roles".to_owned(), json!(["agent"]))]);
    sign_development_token(rules, secret, user, claims, Duration::from_mins(1), NOW)
}

#[test]
fn a_token_signed_here_is_accepted_here() {
    let rules = TokenRules {
        issuer: Some("me".into()),
        audience: Some("chat".into()),
        user_claim: "name".into(),
        ..TokenRules::default()
    };
    let secret = [testing::SECRET, b"\n"].concat();
    let token = signed(&rules, &secret, "anna").unwrap();
    let checked = Authenticator::with_key(rules, &secret).unwrap();
    let identity = checked.authenticate(&token, NOW + 59).unwrap();
    assert_eq!(
        (&**identity.user(), identity.expires_at()),
        ("anna", NOW + 60)
    );
    assert!(identity.claims().contains(r#""roles":["agent"]"#));
    assert_eq!(
        checked.authenticate(&token, NOW + 60),
        Err(AuthError::Expired)
    );
}

#[test]
fn a_public_key_signs_nothing() {
    let rules = TokenRules::default();
    for key in [
        testing::key_text(Algorithm::RS256),
        b"{\"keys\":[]}".to_vec(),
        b"short".to_vec(),
    ] {
        assert_eq!(signed(&rules, &key, "anna"), Err(SignError::NotShared));
    }
}

#[test]
fn what_would_be_refused_is_not_signed() {
    let rules = TokenRules {
        algorithms: vec![Algorithm::HS512],
        ..TokenRules::default()
    };
    assert_eq!(
        signed(&rules, testing::SECRET, "anna"),
        Err(SignError::Algorithm)
    );
    assert_eq!(
        signed(&TokenRules::default(), testing::SECRET, ""),
        Err(SignError::User)
    );
}
