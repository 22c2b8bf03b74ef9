//! Socket.IO 5, "Packet encoding": what the server sends.

use serde_json::value::RawValue;
use sluice_codec::sio::{ack, connect, connect_error, disconnect, event};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"4".to_vec();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn a_connect_reply_carries_the_sid_and_the_pid_where_there_is_one() {
    let sid = "wZX3oN0bSVIhsaknAAAI";
    let reply = written(|out| connect("/", sid, None, out));
    assert_eq!(reply, r#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#);
    let reply = written(|out| connect("/admin", "s", Some("p"), out));
    assert_eq!(reply, r#"40/admin,{"sid":"s","pid":"p"}"#);
}

#[test]
fn a_connect_error_carries_a_message_and_its_data() {
    let refusal = written(|out| connect_error("/", "Not \"authorized\"", None, out));
    assert_eq!(refusal, r#"44{"message":"Not \"authorized\""}"#);
    let data = RawValue::from_string(r#"{"code":"token_expired"}"#.to_owned()).unwrap();
    let refusal = written(|out| connect_error("/a", "No", Some(&data), out));
    assert_eq!(
        refusal,
        r#"44/a,{"message":"No","data":{"code":"token_expired"}}"#
    );
}

#[test]
fn a_disconnect_is_only_its_namespace() {
    assert_eq!(written(|out| disconnect("/", out)), "41");
    assert_eq!(written(|out| disconnect("/admin", out)), "41/admin,");
}

#[test]
fn an_event_carries_raw_arguments() {
    assert_eq!(
        written(|out| event("/", None, "foo", &[], 0, out)),
        r#"42["foo"]"#
    );
    let sent = written(|out| event("/admin", Some(12), "a\"b", &["1", "{\"c\":[]}"], 0, out));
    assert_eq!(sent, r#"42/admin,12["a\"b",1,{"c":[]}]"#);
}

#[test]
fn an_event_with_attachments_counts_them() {
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let sent = written(|out| event("/", None, "baz", &[placeholder], 1, out));
    assert_eq!(sent, r#"451-["baz",{"_placeholder":true,"num":0}]"#);
    let sent = written(|out| event("/admin", Some(3), "baz", &[], 12, out));
    assert_eq!(sent, r#"4512-/admin,3["baz"]"#);
}

#[test]
fn an_ack_answers_an_id() {
    assert_eq!(written(|out| ack("/", 12, &[], 0, out)), "4312[]");
    assert_eq!(
        written(|out| ack("/admin", 13, &["\"bar\"", "2"], 0, out)),
        r#"43/admin,13["bar",2]"#
    );
    assert_eq!(written(|out| ack("/", 15, &["1"], 1, out)), "461-15[1]");
}
