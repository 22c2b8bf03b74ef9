//! Socket.IO 5, "Sending and receiving data" and "Acknowledgement": payloads.

use std::borrow::Cow;

use sluice_codec::sio::{Error, MAX_ARGS, MAX_DEPTH, ack_args, args};

/// An event's name and arguments as texts.
fn read(data: &str) -> Result<(String, Vec<String>), Error> {
    let args = args(data)?;
    Ok((
        args.event.into_owned(),
        args.args.iter().map(|arg| arg.get().to_owned()).collect(),
    ))
}

fn ack(data: &str) -> Result<Vec<String>, Error> {
    Ok(ack_args(data)?
        .iter()
        .map(|arg| arg.get().to_owned())
        .collect())
}

fn event(name: &str, args: &[&str]) -> (String, Vec<String>) {
    (
        name.to_owned(),
        args.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn an_event_may_have_no_arguments() {
    assert_eq!(read(r#"["foo"]"#), Ok(event("foo", &[])));
    assert_eq!(read(r#"[""]"#), Ok(event("", &[])));
}

#[test]
fn arguments_are_kept_as_they_stand() {
    let data = r#"["m", 1, "2",{"3": [ true ]},null , 1e3, "\u0041", -0.0, []]"#;
    let expected = [
        "1",
        "\"2\"",
        r#"{"3": [ true ]}"#,
        "null",
        "1e3",
        r#""\u0041""#,
        "-0.0",
        "[]",
    ];
    assert_eq!(read(data), Ok(event("m", &expected)));
}

#[test]
fn a_plain_name_is_borrowed_and_an_escaped_one_is_read() {
    assert!(matches!(
        args(r#"["für"]"#).unwrap().event,
        Cow::Borrowed("für")
    ));
    assert_eq!(read(r#"["a\"\u00e9\n"]"#), Ok(event("a\"é\n", &[])));
}

#[test]
fn half_an_emoji_is_read_as_one_character_that_stands_for_it() {
    assert_eq!(read(r#"["a\ud83d"]"#), Ok(event("a\u{FFFD}", &[])));
    assert_eq!(
        read(r#"["\ude00\ud83d\n","\ud83d"]"#),
        Ok(event("\u{FFFD}\u{FFFD}\n", &[r#""\ud83d""#]))
    );
    assert_eq!(read(r#"["\ud83d\ude00"]"#), Ok(event("😀", &[])));
}

#[test]
fn a_number_may_be_a_name() {
    assert_eq!(read("[42,1]"), Ok(event("42", &["1"])));
    assert_eq!(read("[-1]"), Ok(event("-1", &[])));
}

#[test]
fn anything_else_is_no_name() {
    for data in [
        "[]",
        "[null]",
        "[1.5]",
        "[1e400]",
        "[true]",
        "[{}]",
        r#"[["a"]]"#,
        r#"[{"a":1},"b"]"#,
    ] {
        assert_eq!(read(data), Err(Error::InvalidPayload), "{data}");
    }
}

#[test]
fn broken_json_is_refused() {
    let broken = [
        "",
        "[",
        "{}",
        "abc",
        r#"["a""#,
        r#"["a",]"#,
        r#"["a" 1]"#,
        r#"["a"]x"#,
        r#"["a"]["b"]"#,
        r#"["a",{"b"}]"#,
        r#"["a",tru]"#,
        r#"["a",'b']"#,
        r#"["a",01]"#,
        r#"["a",NaN]"#,
        "[\"a\",\"\u{1}\"]",
        r#"["a","\x"]"#,
        r#"["a",[1,2}]"#,
    ];
    for data in broken {
        assert_eq!(read(data), Err(Error::InvalidPayload), "{data}");
    }
}

#[test]
fn reserved_names_are_refused_however_they_are_written() {
    let reserved = [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ];
    for name in reserved {
        assert_eq!(read(&format!(r#"["{name}",1]"#)), Err(Error::ReservedEvent));
        assert!(read(&format!(r#"["{name}s"]"#)).is_ok());
    }
    assert_eq!(read(r#"["\u0063onnect"]"#), Err(Error::ReservedEvent));
}

#[test]
fn arguments_are_bounded() {
    let most = format!(r#"["a"{}]"#, ",1".repeat(MAX_ARGS));
    assert_eq!(read(&most).map(|(_, args)| args.len()), Ok(MAX_ARGS));
    let more = format!(r#"["a"{}]"#, ",1".repeat(MAX_ARGS + 1));
    assert_eq!(read(&more), Err(Error::TooManyArgs));
    let many = format!("[1{}]", ",1".repeat(100_000));
    assert_eq!(ack(&many), Err(Error::TooManyArgs));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!(r#"["a",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH)), Err(Error::TooDeep));
    assert_eq!(ack(&"[".repeat(1_000_000)), Err(Error::TooDeep));
    let objects = format!(r#"["a",{}1{}]"#, r#"{"k":"#.repeat(200), "}".repeat(200));
    assert_eq!(read(&objects), Err(Error::TooDeep));
}

#[test]
fn what_passes_the_depth_bound_can_be_parsed_in_full() {
    let nested = |depth: usize| format!(r#"["a",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
    let deepest = nested(MAX_DEPTH - 1);
    assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
    assert!(serde_json::from_str::<serde_json::Value>(&nested(MAX_DEPTH)).is_err());
}

#[test]
fn wide_payloads_and_brackets_in_strings_are_not_deep() {
    let wide = format!(r#"["a",[[]{}]]"#, ",[]".repeat(1000));
    assert!(read(&wide).is_ok());
    let quoted = format!(
        r#"["a","{}","\"{}","\\"]"#,
        "[".repeat(500),
        "{".repeat(500)
    );
    assert!(read(&quoted).is_ok());
}

#[test]
fn an_ack_may_be_empty() {
    assert_eq!(ack("[]"), Ok(vec![]));
    assert_eq!(ack(r#"["connect",{"a":1}]"#).map(|args| args.len()), Ok(2));
    for data in ["", "{}", "[", "[1,]", "[]x", "null"] {
        assert_eq!(ack(data), Err(Error::InvalidPayload), "{data}");
    }
}
