//! What a Secret and a key set may hold.

use serde_json::json;

use super::*;
use crate::auth::{Jwks, JwksTiming, KeyError};
use crate::testing::{forged, jwk, key_text, labelled, sign};

fn keyed(key: &[u8]) -> Result<Authenticator, KeyError> {
    Authenticator::with_key(TokenRules::default(), key)
}

fn key_set(keys: &[Value]) -> Vec<u8> {
    json!({"keys": keys}).to_string().into_bytes()
}

fn named(algorithm: Algorithm, id: &str) -> String {
    let header = json!({"alg": format!("{algorithm:?}"), "kid": id});
    forged(&header, &claims(), |message| sign(algorithm, message))
}

#[test]
fn a_line_end_after_a_shared_secret_is_no_part_of_it() {
    let token = testing::token(Algorithm::HS256, &claims());
    for end in ["", "\n", "\r\n"] {
        let key = [testing::SECRET, end.as_bytes()].concat();
        assert!(
            keyed(&key).unwrap().authenticate(&token, NOW).is_ok(),
            "{end:?}"
        );
    }
}

#[test]
fn a_short_secret_is_refused_and_a_middling_one_takes_only_what_it_is_long_enough_for() {
    assert_eq!(keyed(&[7; 31]).unwrap_err(), KeyError::ShortSecret);
    assert_eq!(keyed(b"").unwrap_err(), KeyError::ShortSecret);
    let secret = &testing::SECRET[..32];
    let token = |name: &str, hash| {
        forged(&json!({"alg": name}), &claims(), |m| {
            testing::hmac_tag(hash, secret, m)
        })
    };
    let checked = keyed(secret).unwrap();
    assert!(
        checked
            .authenticate(&token("HS256", aws_lc_rs::hmac::HMAC_SHA256), NOW)
            .is_ok()
    );
    let wide = checked.authenticate(&token("HS512", aws_lc_rs::hmac::HMAC_SHA512), NOW);
    assert_eq!(wide, Err(AuthError::Algorithm));
}

#[test]
fn a_public_key_with_a_slip_in_it_never_becomes_a_shared_secret() {
    let good = String::from_utf8(key_text(Algorithm::RS256)).unwrap();
    for bad in [
        good.replace("MII", "M!!"),
        good.replace("-----END PUBLIC KEY-----", ""),
        good.replace("PUBLIC KEY", "PUBLIK KEY"),
        good[..good.len() / 2].to_owned(),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_owned(),
    ] {
        assert_eq!(keyed(bad.as_bytes()).unwrap_err(), KeyError::Pem, "{bad}");
    }
    for bad in ["{", "{}", r#"{"keys":7}"#, r#"{"keys":[{"kty":"oct"}]"#] {
        let padded = format!("{bad}{}", " ".repeat(40));
        assert_eq!(
            keyed(padded.as_bytes()).unwrap_err(),
            KeyError::KeySet,
            "{bad}"
        );
    }
}

#[test]
fn private_keys_and_certificates_are_refused_by_name() {
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "CERTIFICATE",
    ] {
        assert_eq!(
            keyed(&labelled(label, b"anything")).unwrap_err(),
            KeyError::NotPublic
        );
    }
}

#[test]
fn several_public_keys_in_one_file_all_count() {
    let both = [key_text(Algorithm::RS256), key_text(Algorithm::ES256)].concat();
    let checked = keyed(&both).unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        assert!(
            checked
                .authenticate(&testing::token(algorithm, &claims()), NOW)
                .is_ok()
        );
    }
    let other = checked.authenticate(&testing::token(Algorithm::EdDSA, &claims()), NOW);
    assert_eq!(other, Err(AuthError::Algorithm));
}

#[test]
fn a_key_for_which_no_algorithm_is_allowed_is_refused() {
    let rules = TokenRules {
        algorithms: vec![Algorithm::HS256],
        ..TokenRules::default()
    };
    let error = Authenticator::with_key(rules, &key_text(Algorithm::RS256)).unwrap_err();
    assert_eq!(error, KeyError::NoAlgorithm);
}

#[test]
fn every_public_key_can_come_as_a_key_set() {
    for algorithm in ALL.into_iter().skip(3) {
        let set = key_set(&[jwk(algorithm, &json!({"kid": "k1", "use": "sig"}))]);
        let checked = keyed(&set).unwrap();
        assert!(
            checked.authenticate(&named(algorithm, "k1"), NOW).is_ok(),
            "{algorithm:?}"
        );
    }
}

#[test]
fn the_key_that_the_token_names_is_the_one_that_counts() {
    let set = key_set(&[
        jwk(Algorithm::RS256, &json!({"kid": "a"})),
        jwk(Algorithm::ES256, &json!({"kid": "b"})),
    ]);
    let checked = keyed(&set).unwrap();
    assert!(
        checked
            .authenticate(&named(Algorithm::RS256, "a"), NOW)
            .is_ok()
    );
    assert_eq!(
        checked.authenticate(&named(Algorithm::RS256, "b"), NOW),
        Err(AuthError::Algorithm)
    );
    assert_eq!(
        checked.authenticate(&named(Algorithm::RS256, "c"), NOW),
        Err(AuthError::UnknownKey)
    );
    assert_eq!(
        checked.authenticate(&named(Algorithm::RS256, ""), NOW),
        Err(AuthError::UnknownKey)
    );
    assert!(
        checked
            .authenticate(&testing::token(Algorithm::ES256, &claims()), NOW)
            .is_ok()
    );
}

#[test]
fn a_key_is_only_for_what_it_says_it_is_for() {
    for (extra, result) in [
        (json!({"kid": "k", "alg": "RS256"}), Ok(())),
        (json!({"kid": "k", "key_ops": ["verify"]}), Ok(())),
        (
            json!({"kid": "k", "alg": "PS256"}),
            Err(AuthError::Algorithm),
        ),
    ] {
        let checked = keyed(&key_set(&[jwk(Algorithm::RS256, &extra)])).unwrap();
        assert_eq!(
            checked
                .authenticate(&named(Algorithm::RS256, "k"), NOW)
                .map(drop),
            result
        );
    }
    for extra in [
        json!({"use": "enc"}),
        json!({"key_ops": ["encrypt"]}),
        json!({"alg": "RSA-OAEP"}),
    ] {
        let error = keyed(&key_set(&[jwk(Algorithm::RS256, &extra)])).unwrap_err();
        assert_eq!(error, KeyError::NoKey, "{extra}");
    }
}

#[test]
fn keys_of_unknown_kinds_are_passed_over_and_shared_secrets_too() {
    let set = key_set(&[
        json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!(7),
        jwk(Algorithm::ES256, &json!({"kid": "good"})),
    ]);
    let checked = keyed(&set).unwrap();
    assert!(
        checked
            .authenticate(&named(Algorithm::ES256, "good"), NOW)
            .is_ok()
    );
    assert_eq!(
        checked.authenticate(&named(Algorithm::HS256, "s"), NOW),
        Err(AuthError::UnknownKey)
    );
    assert_eq!(keyed(&key_set(&[])).unwrap_err(), KeyError::NoKey);
}

#[test]
fn nothing_that_is_shown_has_a_key_in_it() {
    let jwks = Jwks::new("https://id.example.com/jwks", vec![], JwksTiming::default()).unwrap();
    let published = Authenticator::with_jwks(TokenRules::default(), jwks);
    let text = format!("{:?} {published:?}", keyed(testing::SECRET).unwrap());
    assert!(
        !text.contains("secret") && !text.contains("long enough"),
        "{text}"
    );
}
