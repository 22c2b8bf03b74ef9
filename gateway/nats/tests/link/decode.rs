//! What a server sends, operation by operation.

use bytes::BytesMut;
use sluice_nats::link::protocol::{Decoder, MAX_LINE, Operation, ProtocolError};

/// Everything in `text`, and the error at its end.
fn decode(text: &[u8]) -> (Vec<Operation>, Option<ProtocolError>) {
    let (mut decoder, mut input) = (Decoder::default(), BytesMut::from(text));
    let mut operations = vec![];
    loop {
        match decoder.next(&mut input) {
            Ok(Some(operation)) => operations.push(operation),
            Ok(None) => return (operations, None),
            Err(error) => return (operations, Some(error)),
        }
    }
}

fn only(text: &[u8]) -> Operation {
    let (mut operations, error) = decode(text);
    assert_eq!((operations.len(), error), (1, None));
    operations.remove(0)
}

fn error(text: &[u8]) -> ProtocolError {
    decode(text).1.unwrap()
}

#[test]
fn an_info_tells_what_matters_and_may_tell_more() {
    let text = br#"INFO {"server_id":"N1","server_name":"n1","version":"2.15.2","headers":true,"max_payload":1048576,"tls_required":true,"nonce":"abc","connect_urls":["a:1","[::1]:2"],"ldm":true,"xkey":"new"}"#;
    let Operation::Info(info) = only(&[text, &b"\r\n"[..]].concat()) else {
        panic!("INFO should be read")
    };
    assert_eq!(
        (info.server_name.as_str(), info.max_payload),
        ("n1", 1_048_576)
    );
    assert!(info.headers && info.tls_required && info.lame_duck);
    assert_eq!(info.nonce.as_deref(), Some("abc"));
    assert_eq!(info.connect_urls, ["a:1", "[::1]:2"]);
}

#[test]
fn a_message_has_a_subject_a_number_perhaps_a_reply_and_its_payload() {
    let Operation::Message(9, packet) = only(b"MSG a.b 9 inbox.1 7\r\n\r\nMSG\r\n\r\n") else {
        panic!("MSG should be read")
    };
    assert_eq!((packet.subject(), packet.reply()), ("a.b", Some("inbox.1")));
    assert_eq!(&packet.payload[..], b"\r\nMSG\r\n");
    let Operation::Message(1, packet) = only(b"MSG\ta  1\t0\r\n\r\n") else {
        panic!("MSG should be read")
    };
    assert_eq!((packet.subject(), packet.reply()), ("a", None));
    assert!(packet.payload.is_empty());
}

#[test]
fn headers_are_taken_off_the_front_of_the_payload() {
    let text = [
        &b"HMSG a 1 r 27 29\r\nNATS/1.0 204 EOB\r\nA: 12\r\n\r\n"[..],
        b"hi\r\n",
    ]
    .concat();
    let Operation::Message(1, packet) = only(&text) else {
        panic!("HMSG should be read")
    };
    assert_eq!(packet.headers.status(), Some(204));
    assert_eq!(
        (packet.headers.get("A"), &packet.payload[..]),
        (Some("12"), &b"hi"[..])
    );
}

#[test]
fn questions_answers_and_errors_are_told_apart() {
    let (operations, error) = decode(b"PING\r\nPONG\r\n+OK\r\n-ERR 'Stale Connection'\r\nPI");
    assert_eq!(error, None);
    let [
        Operation::Ping,
        Operation::Pong,
        Operation::Ok,
        Operation::Error(text),
    ] = &operations[..]
    else {
        panic!("{operations:?}")
    };
    assert_eq!(text, "Stale Connection");
}

#[test]
fn what_is_no_operation_is_an_error() {
    for text in [
        "HTTP/1.1 400 Bad Request\r\n",
        "\r\n",
        "msg a 1 0\r\n\r\n",
        "SUB a 1\r\n",
    ] {
        assert_eq!(
            error(text.as_bytes()),
            ProtocolError::UnknownOperation,
            "{text}"
        );
    }
    assert_eq!(error(b"INFO {]\r\n").code(), "nats_invalid_info");
}

#[test]
fn a_message_with_wrong_fields_is_an_error() {
    let lines = [
        "MSG",
        "MSG a",
        "MSG a 1",
        "MSG a x 1",
        "MSG a 1 -1",
        "MSG a 1 r 1 1",
        "MSG a 1 r 1 1 1",
        "MSG a 99999999999999999999 1",
        "HMSG a 1 5",
        "HMSG a 1 6 5",
        "HMSG a 1 r x 5",
    ];
    for line in lines {
        let text = format!("{line}\r\n");
        assert_eq!(
            error(text.as_bytes()),
            ProtocolError::InvalidMessage,
            "{line}"
        );
    }
}

#[test]
fn a_payload_that_does_not_end_where_it_should_is_an_error() {
    assert_eq!(
        error(b"MSG a 1 1\r\nab\r\n"),
        ProtocolError::UnterminatedPayload
    );
}

#[test]
fn lines_and_messages_have_a_bound() {
    let line = [&b"-ERR "[..], &vec![b'x'; MAX_LINE]].concat();
    assert_eq!(error(&line), ProtocolError::LineTooLong);
    assert_eq!(
        error(&[&line[..], b"\r\n"].concat()),
        ProtocolError::LineTooLong
    );
    let too_large = ProtocolError::MessageTooLarge(1_200_000);
    assert_eq!(error(b"MSG a 1 1200000\r\n"), too_large);
    let mut decoder = Decoder::new(2_000_000);
    let mut input = BytesMut::from("MSG a 1 1200000\r\n");
    assert!(matches!(decoder.next(&mut input), Ok(None)));
    assert_eq!(decoder.needed(), 17 + 1_200_000 + 2);
    decoder = Decoder::new(usize::MAX);
    let mut input = BytesMut::from("MSG a 1 70000000\r\n");
    assert!(decoder.next(&mut input).is_err());
}
