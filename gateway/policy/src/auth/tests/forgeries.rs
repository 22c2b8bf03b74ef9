//! Tokens that must not be let in.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{forged, hmac_tag, key_text, part, sign, signed_text, token};

fn refused(algorithm: Algorithm, token: &str) -> AuthError {
    authenticator(algorithm, TokenRules::default())
        .authenticate(token, NOW)
        .unwrap_err()
}

#[test]
fn a_public_key_used_as_a_shared_secret_signs_nothing() {
    for key in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        for secret in [
            key_text(key),
            key_text(key).trim_ascii().to_vec(),
            testing::RSA.public_key().as_ref().to_vec(),
        ] {
            let token = forged(&json!({"alg": "HS256"}), &claims(), |message| {
                hmac_tag(hmac::HMAC_SHA256, &secret, message)
            });
            assert_eq!(refused(key, &token), AuthError::Algorithm);
        }
    }
}

#[test]
fn a_token_without_a_signature_is_refused() {
    for name in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS257",
    ] {
        for signature in ["", "AAAA"] {
            let token = format!(
                "{}.{}.{signature}",
                part(&json!({"alg": name})),
                part(&claims())
            );
            for key in [Algorithm::HS256, Algorithm::RS256] {
                assert_eq!(refused(key, &token), AuthError::Algorithm, "{name}");
            }
        }
    }
    let unsigned = format!("{}.{}.", part(&json!({"alg": "HS256"})), part(&claims()));
    assert_eq!(refused(Algorithm::HS256, &unsigned), AuthError::Signature);
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    for key in ALL {
        for name in ALL {
            let accepted = authenticator(key, TokenRules::default())
                .authenticate(&token(name, &claims()), NOW);
            let kind = |algorithm| key_text(algorithm);
            assert_eq!(
                accepted.is_ok(),
                kind(key) == kind(name),
                "{name:?} for the key of {key:?}"
            );
            if let Err(error) = accepted {
                assert_eq!(error, AuthError::Algorithm);
            }
        }
    }
}

#[test]
fn an_algorithm_that_is_not_listed_is_refused_though_it_fits_the_key() {
    let rules = TokenRules {
        algorithms: vec![Algorithm::PS256],
        ..TokenRules::default()
    };
    let authenticator = authenticator(Algorithm::RS256, rules);
    assert!(
        authenticator
            .authenticate(&token(Algorithm::PS256, &claims()), NOW)
            .is_ok()
    );
    let error = authenticator
        .authenticate(&token(Algorithm::RS256, &claims()), NOW)
        .unwrap_err();
    assert_eq!(error, AuthError::Algorithm);
}

#[test]
fn a_signature_of_another_algorithm_does_not_fit() {
    for (named, signed) in [
        (Algorithm::RS256, Algorithm::PS256),
        (Algorithm::RS256, Algorithm::RS512),
        (Algorithm::HS256, Algorithm::HS512),
    ] {
        let header = json!({"alg": format!("{named:?}")});
        let token = forged(&header, &claims(), |message| sign(signed, message));
        assert_eq!(refused(named, &token), AuthError::Signature);
    }
}

#[test]
fn an_elliptic_signature_of_nothing_but_zeros_is_refused() {
    let header = json!({"alg": "ES256"});
    let token = forged(&header, &claims(), |_| vec![0; 64]);
    assert_eq!(refused(Algorithm::ES256, &token), AuthError::Signature);
}

#[test]
fn keys_that_the_token_brings_along_are_not_looked_at() {
    let secret = b"the attacker's own secret, long enough".as_slice();
    let header = json!({
        "alg": "HS256", "kid": "../../etc/passwd", "jku": "https://evil.org/jwks", "x5u": "https://evil.org",
        "jwk": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret)},
    });
    let token = forged(&header, &claims(), |m| {
        hmac_tag(hmac::HMAC_SHA256, secret, m)
    });
    assert_eq!(refused(Algorithm::HS256, &token), AuthError::Signature);
}

#[test]
fn a_header_that_asks_for_what_is_not_understood_is_refused() {
    for header in [
        json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
        json!({"alg": "HS256", "crit": []}),
        json!({"alg": ["HS256"]}),
        json!({"alg": 5}),
        json!({"typ": "JWT"}),
        json!(["HS256"]),
        json!({"alg": "HS256", "kid": 5}),
    ] {
        let token = forged(&header, &claims(), |message| {
            sign(Algorithm::HS256, message)
        });
        assert_eq!(
            refused(Algorithm::HS256, &token),
            AuthError::Malformed,
            "{header}"
        );
    }
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"HS256"}"#);
    let token = signed_text(&format!("{twice}.{}", part(&claims())), |m| {
        sign(Algorithm::HS256, m)
    });
    assert_eq!(refused(Algorithm::HS256, &token), AuthError::Malformed);
}

#[test]
fn a_token_of_another_shape_is_refused() {
    let good = token(Algorithm::HS256, &claims());
    for bad in [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{good}"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        good.replace('.', ". "),
        format!("Bearer {good}"),
        good.replacen('.', "..", 1),
        "\0".repeat(100),
        "é.é.é".to_owned(),
    ] {
        assert_eq!(
            refused(Algorithm::HS256, &bad),
            AuthError::Malformed,
            "{bad:?}"
        );
    }
    assert_eq!(refused(Algorithm::HS256, ""), AuthError::Missing);
}

#[test]
fn a_second_form_of_the_same_signature_is_refused() {
    let good = token(Algorithm::HS256, &claims());
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let others = alphabet.chars().filter(|&c| c != last).filter(|&c| {
        let other = format!("{}{c}", &good[..good.len() - 1]);
        authenticator(Algorithm::HS256, TokenRules::default())
            .authenticate(&other, NOW)
            .is_ok()
    });
    assert_eq!(others.count(), 0);
}

#[test]
fn a_token_beyond_the_size_is_refused_before_it_is_read() {
    let fits = testing::token(
        Algorithm::HS256,
        &json!({"sub": "a", "exp": NOW + 1, "x": "x".repeat(5_900)}),
    );
    assert!(fits.len() <= super::super::MAX_TOKEN_BYTES);
    assert!(
        authenticator(Algorithm::HS256, TokenRules::default())
            .authenticate(&fits, NOW)
            .is_ok()
    );
    assert_eq!(
        refused(Algorithm::HS256, &"a".repeat(8 * 1024 + 1)),
        AuthError::TooLarge
    );
    let wide_header = forged(
        &json!({"alg": "HS256", "x": "x".repeat(2_000)}),
        &claims(),
        |m| sign(Algorithm::HS256, m),
    );
    assert_eq!(
        refused(Algorithm::HS256, &wide_header),
        AuthError::Malformed
    );
    let wide_signature = forged(&json!({"alg": "HS256"}), &claims(), |_| vec![7; 3_000]);
    assert_eq!(
        refused(Algorithm::HS256, &wide_signature),
        AuthError::Malformed
    );
}

#[test]
fn claims_nested_without_end_do_not_overflow_the_stack() {
    let deep = format!(
        "{{\"sub\":\"a\",\"exp\":{},\"x\":{}}}",
        NOW + 1,
        "[".repeat(4_000)
    );
    let message = format!(
        "{}.{}",
        part(&json!({"alg": "HS256"})),
        URL_SAFE_NO_PAD.encode(deep)
    );
    let token = signed_text(&message, |m| sign(Algorithm::HS256, m));
    assert_eq!(refused(Algorithm::HS256, &token), AuthError::Malformed);
}

proptest! {
    #[test]
    fn no_changed_byte_goes_unnoticed(at in 0usize..200, byte in any::<u8>()) {
        let good = token(Algorithm::HS256, &claims());
        let mut bytes = good.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            let result = authenticator(Algorithm::HS256, TokenRules::default()).authenticate(&changed, NOW);
            prop_assert_eq!(result.is_ok(), changed == good);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,60}", 0..5)) {
        let authenticator = authenticator(Algorithm::HS256, TokenRules::default());
        prop_assert!(authenticator.authenticate(&text, NOW).is_err());
        prop_assert!(authenticator.authenticate(&parts.join("."), NOW).is_err());
    }
}
