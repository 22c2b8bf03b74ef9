//! Payloads, good and odd.

use super::*;

fn read(payload: &str) -> Option<Claims<'_>> {
    Wanted {
        audience: Some("chat"),
        user_claim: "sub",
    }
    .read(payload)
    .ok()
}

#[test]
fn dates_may_have_a_fraction_and_never_count_in_the_tokens_favour() {
    let claims = read(r#"{"exp":10.9,"nbf":10.1,"iat":1e1}"#).unwrap();
    assert_eq!((claims.expires_at, claims.not_before), (Some(10), Some(11)));
    assert_eq!(claims.issued_at, Some(10));
}

#[test]
fn absurd_dates_end_at_the_bounds() {
    let claims = read(r#"{"exp":-5,"nbf":1e300,"iat":18446744073709551615}"#).unwrap();
    assert_eq!(
        (claims.expires_at, claims.not_before),
        (Some(0), Some(u64::MAX))
    );
}

#[test]
fn a_user_is_a_string_or_a_whole_number() {
    for (payload, user) in [
        (r#"{"sub":"anna"}"#, Some("anna")),
        (r#"{"sub":42}"#, Some("42")),
        (r#"{"sub":-1}"#, Some("-1")),
        (r#"{"sub":"a\u00e4"}"#, Some("aä")),
        (r#"{"sub":4.2}"#, None),
        (r#"{"sub":null}"#, None),
        (r#"{"sub":["anna"]}"#, None),
        (r#"{"sub":{"a":1}}"#, None),
        (r#"{"other":"anna"}"#, None),
    ] {
        assert_eq!(read(payload).unwrap().user.as_deref(), user, "{payload}");
    }
}

#[test]
fn an_audience_is_a_string_or_a_list() {
    for (payload, fits) in [
        (r#"{"aud":"chat"}"#, true),
        (r#"{"aud":["mail","chat"]}"#, true),
        (r#"{"aud":["mail"]}"#, false),
        (r#"{"aud":[]}"#, false),
        (r#"{"aud":null}"#, false),
        (r#"{"aud":"chatter"}"#, false),
        ("{}", false),
    ] {
        assert_eq!(read(payload).unwrap().is_for_audience, fits, "{payload}");
    }
}

#[test]
fn what_is_no_object_of_claims_is_refused() {
    for payload in [
        "",
        "[]",
        "7",
        "{",
        r#"{"exp":"10"}"#,
        r#"{"exp":null}"#,
        r#"{"exp":1,"exp":2}"#,
        r#"{"iss":7}"#,
        r#"{"aud":7}"#,
        r#"{"aud":[7]}"#,
        r#"{"aud":"a","aud":"chat"}"#,
        r#"{"sub":"a","sub":"b"}"#,
        r#"{"jti":{}}"#,
        r"{} {}",
        r#"{"a":1"#,
    ] {
        assert!(read(payload).is_none(), "{payload}");
    }
}

#[test]
fn the_user_may_be_another_claim() {
    let wanted = Wanted {
        audience: None,
        user_claim: "https://example.com/user",
    };
    let claims = wanted
        .read(r#"{"sub":"x","https://example.com/user":"anna"}"#)
        .unwrap();
    assert_eq!(claims.user.as_deref(), Some("anna"));
    let wanted = Wanted {
        audience: None,
        user_claim: "jti",
    };
    let claims = wanted.read(r#"{"jti":"t1"}"#).unwrap();
    assert_eq!(
        (claims.user.as_deref(), claims.token_id.as_deref()),
        (Some("t1"), Some("t1"))
    );
}
