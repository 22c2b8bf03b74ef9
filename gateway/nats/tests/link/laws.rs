//! Laws of the codec.

use bytes::BytesMut;
use proptest::{collection::vec, prelude::*};
use sluice_nats::link::protocol::{Decoder, Operation, ProtocolError, encode};

/// All that is in the pieces of a stream.
fn outcome<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<ProtocolError>) {
    let (mut decoder, mut input) = (Decoder::new(10_000), BytesMut::new());
    let mut seen = vec![];
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(operation)) => seen.push(format!("{operation:?}")),
                Ok(None) => break,
                Err(error) => return (seen, Some(error)),
            }
        }
    }
    (seen, None)
}

/// Operations as a server writes them, now and then a wrong one.
fn operations() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"PING\r\n".to_vec()),
        Just(b"PONG\r\n".to_vec()),
        Just(b"+OK\r\n".to_vec()),
        Just(b"INFO {\"max_payload\":5}\r\n".to_vec()),
        "-ERR '[a-zA-Z \"]{0,20}'\r\n".prop_map(String::into_bytes),
        ("[a-z.]{1,9}", any::<u64>(), vec(any::<u8>(), 0..40)).prop_map(|(subject, sid, data)| {
            let head = format!("MSG {subject} {sid} {}\r\n", data.len());
            [head.as_bytes(), &data, b"\r\n"].concat()
        }),
        (0_usize..40, 0_usize..40, vec(any::<u8>(), 0..40)).prop_map(|(headers, size, data)| {
            let head = format!("HMSG a 1 r {headers} {size}\r\n");
            [head.as_bytes(), &data, b"\r\n"].concat()
        }),
        vec(any::<u8>(), 0..20),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    vec(operations(), 0..6).prop_map(|operations| operations.concat())
}

proptest! {
    #[test]
    fn wherever_a_stream_is_split_the_same_is_read(stream in stream()) {
        let whole = outcome([&stream[..]]);
        for at in 0..=stream.len() {
            let (front, back) = stream.split_at(at);
            prop_assert_eq!(outcome([front, back]), whole.clone());
        }
        prop_assert_eq!(outcome(stream.chunks(1)), whole);
    }

    #[test]
    fn a_message_that_is_written_is_read_back(
        subject in "[a-z0-9._=>*-]{1,40}",
        reply in proptest::option::of("[a-z.]{1,20}"),
        headers in vec(("[A-Za-z-]{1,10}", "[ -~é]{0,20}"), 0..4),
        payload in vec(any::<u8>(), 0..300),
    ) {
        let mut out = Vec::new();
        encode::publish(&subject, reply.as_deref(), &headers, &payload, &mut out);
        let text = as_server(&out);
        let (mut decoder, mut input) = (Decoder::default(), BytesMut::from(&text[..]));
        let Ok(Some(Operation::Message(7, packet))) = decoder.next(&mut input) else {
            panic!("a message should be read")
        };
        prop_assert!(input.is_empty());
        prop_assert_eq!((packet.subject(), packet.reply()), (subject.as_str(), reply.as_deref()));
        prop_assert_eq!(packet.payload, payload);
        prop_assert_eq!(packet.headers.status(), None);
        for (name, _) in &headers {
            let first = headers.iter().find(|(other, _)| other == name);
            let value = first.map(|(_, value)| value.trim());
            prop_assert_eq!(packet.headers.get(name), value);
        }
    }
}

/// What a client wrote, as a server passes it on to the subscription of number 7.
fn as_server(written: &[u8]) -> Vec<u8> {
    let end = written.iter().position(|byte| *byte == b'\n').unwrap();
    let line = std::str::from_utf8(&written[..end]).unwrap();
    let (verb, rest) = line.split_once(' ').unwrap();
    let (subject, rest) = rest.split_once(' ').unwrap();
    let verb = verb.replace("PUB", "MSG");
    let head = format!("{verb} {subject} 7 {rest}\n");
    [head.as_bytes(), &written[end + 1..]].concat()
}
