//! Socket.IO 5, "Packet encoding": where attachments stand.

use sluice_codec::sio::{Error, placeholders};

#[test]
fn placeholders_of_announced_attachments_pass() {
    let one = r#"["baz",{"_placeholder":true,"num":0}]"#;
    assert_eq!(placeholders(one, 1), Ok(()));
    let nested =
        r#"["x",{"a":[{"b":{"num":1,"_placeholder":true}}]},{"_placeholder":true,"num":0}]"#;
    assert_eq!(placeholders(nested, 2), Ok(()));
}

#[test]
fn an_attachment_may_be_used_twice_or_not_at_all() {
    let twice = r#"[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    assert_eq!(placeholders(twice, 1), Ok(()));
    assert_eq!(placeholders(r#"["x"]"#, 3), Ok(()));
}

#[test]
fn a_placeholder_must_name_an_announced_attachment() {
    for (number, attachments) in [("0", 0), ("1", 1), ("32", 32), ("18446744073709551615", 1)] {
        let data = format!(r#"["x",{{"_placeholder":true,"num":{number}}}]"#);
        assert_eq!(
            placeholders(&data, attachments),
            Err(Error::InvalidPlaceholder),
            "{data}"
        );
    }
}

#[test]
fn a_placeholder_must_have_a_whole_number() {
    for rest in [
        "",
        r#","num":-1"#,
        r#","num":0.5"#,
        r#","num":"0""#,
        r#","num":null"#,
        r#","n":0"#,
    ] {
        let data = format!(r#"["x",{{"_placeholder":true{rest}}}]"#);
        assert_eq!(
            placeholders(&data, 5),
            Err(Error::InvalidPlaceholder),
            "{data}"
        );
    }
}

#[test]
fn a_key_written_with_escapes_does_not_hide_a_placeholder() {
    let data = r#"["x",{"\u005fplaceholder":true,"num":9}]"#;
    assert_eq!(placeholders(data, 1), Err(Error::InvalidPlaceholder));
    let data = r#"["x",{"_placeholder":true,"n\u0075m":0}]"#;
    assert_eq!(placeholders(data, 1), Ok(()));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let data = r#"[{"_placeholder":true,"num":0,"num":7}]"#;
    assert_eq!(placeholders(data, 1), Err(Error::InvalidPlaceholder));
    let data = r#"[{"_placeholder":true,"num":7,"_placeholder":false}]"#;
    assert_eq!(placeholders(data, 1), Ok(()));
}

#[test]
fn only_true_makes_a_placeholder() {
    for value in ["false", "1", "\"true\"", "null", "[true]"] {
        let data = format!(r#"["x",{{"_placeholder":{value},"num":9}}]"#);
        assert_eq!(placeholders(&data, 1), Ok(()), "{data}");
    }
    assert_eq!(
        placeholders(r#"["{\"_placeholder\":true,\"num\":9}"]"#, 1),
        Ok(())
    );
}

#[test]
fn broken_or_deep_json_is_refused() {
    for data in ["", "[", "[1]x", r#"[{"a":}]"#] {
        assert_eq!(placeholders(data, 1), Err(Error::InvalidPayload), "{data}");
    }
    assert_eq!(
        placeholders(&"[".repeat(1_000_000), 1),
        Err(Error::InvalidPayload)
    );
}

#[test]
fn what_no_rust_type_holds_passes() {
    for value in [r#""a\ud83d""#, "1e400", r#"{"\udc00":-1e999}"#] {
        let data = format!(r#"[{value},{{"_placeholder":true,"num":0}},{value}]"#);
        assert_eq!(placeholders(&data, 1), Ok(()), "{data}");
        assert_eq!(placeholders(&data, 0), Err(Error::InvalidPlaceholder));
    }
}

#[test]
fn an_object_inside_does_not_hide_that_the_one_around_it_is_a_placeholder() {
    let data = r#"{"_placeholder":true,"a":[{"num":0}],"b":{"num":0,"c":"\\"}}"#;
    assert_eq!(placeholders(data, 1), Err(Error::InvalidPlaceholder));
    let data = r#" { "_placeholder" : true , "a" : {"num":9} , "num" : 0 } "#;
    assert_eq!(placeholders(data, 1), Ok(()));
}
