//! What a client sends, byte for byte.

use sluice_nats::link::{
    NO_HEADERS,
    protocol::encode::{
        Connect, MAX_SUBJECT, connect, header_size, is_header, is_subject, publish, subscribe,
        unsubscribe,
    },
};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn messages_go_with_or_without_headers_and_reply() {
    let plain = written(|out| publish("a", None, NO_HEADERS, b"hi", out));
    assert_eq!(plain, "PUB a 2\r\nhi\r\n");
    let request = written(|out| publish("a", Some("r"), NO_HEADERS, b"", out));
    assert_eq!(request, "PUB a r 0\r\n\r\n");
    let headers = [("A", "1"), ("B", "x y")];
    assert_eq!(header_size(&headers), 26);
    let with = written(|out| publish("a", Some("r"), &headers, b"hi", out));
    assert_eq!(
        with,
        "HPUB a r 26 28\r\nNATS/1.0\r\nA: 1\r\nB: x y\r\n\r\nhi\r\n"
    );
}

#[test]
fn subscriptions_begin_and_end_by_number() {
    assert_eq!(written(|out| subscribe("a.*", 7, out)), "SUB a.* 7\r\n");
    assert_eq!(written(|out| unsubscribe(7, out)), "UNSUB 7\r\n");
}

#[test]
fn a_greeting_holds_only_the_credentials_that_there_are() {
    let greeting = Connect {
        name: "g\"1\n",
        lang: "rust",
        version: "0.1.0",
        protocol: 1,
        headers: true,
        no_responders: true,
        auth_token: Some("t"),
        ..Connect::default()
    };
    let text = written(|out| connect(&greeting, out).unwrap());
    let json = text
        .strip_prefix("CONNECT ")
        .unwrap()
        .strip_suffix("\r\n")
        .unwrap();
    assert!(!json.contains('\n'));
    let expected = serde_json::json!({
        "verbose": false, "pedantic": false, "tls_required": false, "name": "g\"1\n",
        "lang": "rust", "version": "0.1.0", "protocol": 1, "echo": false, "headers": true,
        "no_responders": true, "auth_token": "t",
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(json).unwrap(),
        expected
    );
}

#[test]
fn what_would_be_read_as_something_else_is_no_name() {
    assert!(
        is_subject("sluice.a-b=20.>") && is_subject("é") && is_subject(&"x".repeat(MAX_SUBJECT))
    );
    for subject in [
        "",
        "a b",
        "a\tb",
        "a\r\nPUB b 0",
        "a\u{7f}",
        &"x".repeat(MAX_SUBJECT + 1),
    ] {
        assert!(!is_subject(subject), "{subject:?}");
    }
    assert!(is_header("Nats-Msg-Id", "") && is_header("A", "b: c"));
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("é", "x"),
        ("a", "b\nc"),
        ("a", "\r"),
    ] {
        assert!(!is_header(name, value), "{name:?}: {value:?}");
    }
}
