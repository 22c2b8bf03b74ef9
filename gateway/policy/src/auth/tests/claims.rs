//! What the claims of a well-signed token decide.

use std::time::Duration;

use serde_json::json;

use super::*;

fn with(name: &str, value: Value) -> Value {
    let mut all = claims();
    all[name] = value;
    all
}

#[test]
fn every_algorithm_lets_its_own_token_in() {
    for algorithm in ALL {
        let token = testing::token(algorithm, &claims());
        let identity = authenticator(algorithm, TokenRules::default())
            .authenticate(&token, NOW)
            .unwrap();
        assert_eq!(&**identity.user(), "anna", "{algorithm:?}");
    }
}

#[test]
fn the_identity_has_what_the_token_says() {
    let identity = authenticate(&claims(), TokenRules::default()).unwrap();
    assert_eq!(&**identity.user(), "anna");
    assert_eq!(identity.token_id().map(|id| &**id), Some("t1"));
    assert_eq!(
        (identity.expires_at(), identity.issued_at()),
        (NOW + 60, NOW)
    );
    assert_eq!(
        serde_json::from_str::<Value>(identity.claims()).unwrap(),
        claims()
    );
}

#[test]
fn a_token_ends_in_the_second_that_exp_names() {
    for (expires, result) in [
        (NOW + 1, Ok(())),
        (NOW, Err(AuthError::Expired)),
        (NOW - 1, Err(AuthError::Expired)),
    ] {
        let checked = authenticate(&with("exp", expires.into()), TokenRules::default());
        assert_eq!(checked.map(drop), result, "{expires}");
    }
}

#[test]
fn leeway_moves_both_ends_and_no_further() {
    let rules = || TokenRules {
        leeway: Duration::from_secs(5),
        ..TokenRules::default()
    };
    for (name, value, result) in [
        ("exp", NOW - 4, Ok(())),
        ("exp", NOW - 5, Err(AuthError::Expired)),
        ("nbf", NOW + 5, Ok(())),
        ("nbf", NOW + 6, Err(AuthError::NotYetValid)),
    ] {
        let checked = authenticate(&with(name, value.into()), rules());
        assert_eq!(checked.map(drop), result, "{name} {value}");
    }
}

#[test]
fn the_expiry_is_the_tokens_own_without_the_leeway() {
    let rules = TokenRules {
        leeway: Duration::from_mins(10),
        ..TokenRules::default()
    };
    assert_eq!(
        authenticate(&claims(), rules).unwrap().expires_at(),
        NOW + 60
    );
}

#[test]
fn a_token_before_its_time_is_refused() {
    let early =
        |from: u64| authenticate(&with("nbf", from.into()), TokenRules::default()).map(drop);
    assert_eq!(early(NOW), Ok(()));
    assert_eq!(early(NOW + 1), Err(AuthError::NotYetValid));
}

#[test]
fn a_token_without_an_end_is_refused() {
    let endless = json!({"sub": "anna"});
    assert_eq!(
        authenticate(&endless, TokenRules::default()),
        Err(AuthError::Malformed)
    );
    for odd in [json!("never"), json!(null), json!([1])] {
        assert_eq!(
            authenticate(&with("exp", odd), TokenRules::default()),
            Err(AuthError::Malformed)
        );
    }
}

#[test]
fn issuer_and_audience_are_compared_exactly() {
    let rules = || TokenRules {
        issuer: Some("https://id.example.com/".into()),
        audience: Some("chat".into()),
        ..TokenRules::default()
    };
    let mut good = with("iss", "https://id.example.com/".into());
    good["aud"] = json!(["mail", "chat"]);
    assert!(authenticate(&good, rules()).is_ok());
    for issuer in [
        json!("https://id.example.com"),
        json!("HTTPS://ID.EXAMPLE.COM/"),
        json!(null),
        json!(""),
    ] {
        let mut bad = good.clone();
        bad["iss"] = issuer;
        assert_eq!(authenticate(&bad, rules()), Err(AuthError::Issuer));
    }
    for audience in [
        json!("Chat"),
        json!(["mail"]),
        json!([]),
        json!(null),
        json!("chat,mail"),
    ] {
        let mut bad = good.clone();
        bad["aud"] = audience;
        assert_eq!(authenticate(&bad, rules()), Err(AuthError::Audience));
    }
    good.as_object_mut().unwrap().remove("iss");
    assert_eq!(authenticate(&good, rules()), Err(AuthError::Issuer));
}

#[test]
fn a_token_that_names_no_user_is_refused() {
    for user in [
        json!(""),
        json!("u".repeat(257)),
        json!(null),
        json!({}),
        json!(true),
        json!(1.5),
    ] {
        assert_eq!(
            authenticate(&with("sub", user), TokenRules::default()),
            Err(AuthError::UserMissing)
        );
    }
    let rules = TokenRules {
        user_claim: "email".into(),
        ..TokenRules::default()
    };
    assert_eq!(authenticate(&claims(), rules), Err(AuthError::UserMissing));
}

#[test]
fn a_users_name_may_be_any_text() {
    for user in ["ü", "a b", "a\nb", "*", "日本", "\u{0}"] {
        let identity = authenticate(&with("sub", user.into()), TokenRules::default()).unwrap();
        assert_eq!(&**identity.user(), user);
    }
    assert!(authenticate(&with("sub", "u".repeat(256).into()), TokenRules::default()).is_ok());
}

#[test]
fn every_error_has_its_code_and_says_what_to_do() {
    let errors = [
        (AuthError::Missing, "token_missing"),
        (AuthError::Malformed, "token_malformed"),
        (AuthError::TooLarge, "token_too_large"),
        (AuthError::Expired, "token_expired"),
        (AuthError::NotYetValid, "token_not_yet_valid"),
        (AuthError::Signature, "token_signature"),
        (AuthError::Algorithm, "token_algorithm"),
        (AuthError::Issuer, "token_issuer"),
        (AuthError::Audience, "token_audience"),
        (AuthError::UserMissing, "token_user_missing"),
        (AuthError::Revoked, "token_revoked"),
        (AuthError::UnknownKey, "key_unknown"),
    ];
    for (error, code) in errors {
        assert_eq!(error.code().as_str(), code);
        assert!(error.to_string().contains(": "), "{error}");
    }
}
