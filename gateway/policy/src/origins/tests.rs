//! Which origins are let in.

use super::*;
use proptest::prelude::*;

fn admits(entries: &[&str], origin: &str) -> bool {
    Origins::parse(entries)
        .unwrap()
        .allows(Some(origin), Some("gateway.example.com"), None)
}

#[test]
fn an_exact_origin_is_scheme_host_and_port() {
    let entry = ["https://app.example.com"];
    for yes in [
        "https://app.example.com",
        "https://APP.example.com",
        "HTTPS://app.example.com:443",
    ] {
        assert!(admits(&entry, yes), "{yes}");
    }
    for no in [
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.org",
        "https://evil-app.example.com",
        "https://app.example.com/",
        "https://app.example.com@evil.org",
        "null",
        "",
    ] {
        assert!(!admits(&entry, no), "{no}");
    }
}

#[test]
fn a_wildcard_admits_every_host_below_and_nothing_else() {
    let entry = ["https://*.example.com"];
    for yes in [
        "https://a.example.com",
        "https://a.b.EXAMPLE.com",
        "https://a.example.com:443",
    ] {
        assert!(admits(&entry, yes), "{yes}");
    }
    for no in [
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "https://a.example.com.evil.org",
        "https://a.example.com:444",
        "http://a.example.com",
        "https://evil.org/.example.com",
        "https://evil.org#.example.com",
    ] {
        assert!(!admits(&entry, no), "{no}");
    }
}

#[test]
fn a_star_admits_every_page_and_null() {
    for origin in ["https://a.b", "null", "file://", "anything at all"] {
        assert!(admits(&["https://x.org", "*"], origin), "{origin}");
    }
}

#[test]
fn an_empty_list_admits_only_the_gateways_own_pages() {
    let origins = Origins::default();
    assert!(origins.allows(
        Some("https://chat.example.com"),
        Some("chat.example.com"),
        None
    ));
    assert!(origins.allows(Some("http://localhost:3000"), Some("localhost:3000"), None));
    assert!(origins.allows(Some("http://[::1]:3000"), Some("[::1]:3000"), None));
    assert!(!origins.allows(Some("https://evil.org"), Some("chat.example.com"), None));
    assert!(!origins.allows(Some("http://localhost:8080"), Some("localhost:3000"), None));
    assert!(!origins.allows(Some("null"), Some("null"), None));
    assert!(!origins.allows(Some("https://chat.example.com"), None, None));
}

#[test]
fn a_program_that_is_no_browser_is_let_in() {
    assert!(Origins::default().allows(None, Some("chat.example.com"), None));
    assert!(
        Origins::parse(&["https://a.b"])
            .unwrap()
            .allows(None, None, None)
    );
}

#[test]
fn ports_are_compared_after_the_schemes_own_is_filled_in() {
    assert!(admits(&["http://localhost:8080"], "http://localhost:8080"));
    assert!(admits(&["http://localhost:80"], "http://localhost"));
    assert!(admits(&["capacitor://localhost"], "capacitor://localhost"));
    assert!(!admits(&["http://localhost:8080"], "http://localhost"));
}

#[test]
fn a_star_for_the_port_admits_every_port_of_that_host() {
    for yes in [
        "http://localhost",
        "http://localhost:3000",
        "http://LOCALHOST:1",
    ] {
        assert!(admits(&["http://localhost:*"], yes), "{yes}");
    }
    for no in [
        "https://localhost:3000",
        "http://localhost:*",
        "http://localhost:",
        "http://a.localhost:1",
    ] {
        assert!(!admits(&["http://localhost:*"], no), "{no}");
    }
    assert!(admits(
        &["https://*.example.com:*"],
        "https://a.example.com:8443"
    ));
}

#[test]
fn every_bad_entry_is_named_with_what_to_write() {
    let entries = [
        "example.com",
        "https://ok.example.com",
        "https://",
        "https://a.*.example.com",
        "https://**.example.com",
        "https://a.b:99999",
        "https://a.b/path",
        "https://exämple.com",
    ];
    let errors = Origins::parse(&entries).unwrap_err();
    assert_eq!(
        errors.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        [0, 2, 3, 4, 5, 6, 7]
    );
    assert!(matches!(errors[0].1, OriginError::Scheme(_)));
    assert!(matches!(errors[2].1, OriginError::Wildcard(_)));
    assert!(matches!(errors[4].1, OriginError::Port(_)));
    assert!(errors[0].1.to_string().contains("https://example.com"));
}

#[test]
fn an_empty_list_takes_web_pages_of_its_own_scheme_only() {
    let own = Origins::default();
    let allows = |origin, secure| own.allows(Some(origin), Some("a.example:8080"), secure);
    assert!(!allows("evil://a.example:8080", None));
    assert!(!allows("ws://a.example:8080", Some(false)));
    assert!(allows("https://a.example:8080", None));
    assert!(allows("http://a.example:8080", None));
    assert!(allows("https://a.example:8080", Some(true)));
    assert!(!allows("http://a.example:8080", Some(true)));
    assert!(!allows("https://a.example:8080", Some(false)));
    assert!(!allows("https://a.example", Some(true)));
}

proptest! {
    #[test]
    fn no_origin_header_makes_it_panic_or_let_another_host_in(text in ".{0,80}") {
        let origins = Origins::parse(&["https://*.example.com"]).unwrap();
        if origins.allows(Some(&text), Some(&text), None) {
            let lower = text.to_ascii_lowercase();
            let host = lower.trim_end_matches(":443");
            prop_assert!(host.starts_with("https://") && host.ends_with(".example.com"));
        }
        let _ = Origins::parse(&[&text]);
        let _ = Origins::default().allows(Some(&text), Some(&text), None);
    }
}
