//! The same messages through another implementation, tungstenite, in both directions.

use std::io::{Cursor, Read, Write};

use crate::client::{Owned, read};
use proptest::{collection::vec, prelude::*};
use sluice_codec::ws::{Opcode, close, encode};
use tungstenite::{
    Message, WebSocket,
    protocol::{CloseFrame, Role, frame::coding::CloseCode},
};

/// What a client reads from, and what it has written.
#[derive(Default)]
struct Wire {
    received: Cursor<Vec<u8>>,
    sent: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.received.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sent.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn client(received: Vec<u8>) -> WebSocket<Wire> {
    let wire = Wire {
        received: Cursor::new(received),
        sent: Vec::new(),
    };
    WebSocket::from_raw_socket(wire, Role::Client, None)
}

fn messages() -> impl Strategy<Value = Owned> {
    prop_oneof![
        "\\PC{0,200}".prop_map(Owned::Text),
        vec(any::<u8>(), 0..70_000).prop_map(Owned::Binary),
        vec(any::<u8>(), 0..=125).prop_map(Owned::Ping),
        vec(any::<u8>(), 0..=125).prop_map(Owned::Pong),
    ]
}

fn closes() -> impl Strategy<Value = Option<(u16, String)>> {
    let code = prop_oneof![1000_u16..=1003, 1007_u16..=1013, 3000_u16..=4999];
    proptest::option::of((code, "[a-zü]{0,60}"))
}

fn theirs(message: &Owned) -> Message {
    match message.clone() {
        Owned::Text(text) => Message::text(text),
        Owned::Binary(data) => Message::binary(data),
        Owned::Ping(data) => Message::Ping(data.into()),
        Owned::Pong(data) => Message::Pong(data.into()),
        Owned::Oversized(..) => panic!("only a decoder that passes over messages has these"),
        Owned::Close(code, reason) => Message::Close(code.map(|code| CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        })),
    }
}

fn ours(message: &Owned) -> Vec<u8> {
    match message {
        Owned::Text(text) => encode(Opcode::Text, text.as_bytes()).to_vec(),
        Owned::Binary(data) => encode(Opcode::Binary, data).to_vec(),
        Owned::Ping(data) => encode(Opcode::Ping, data).to_vec(),
        Owned::Pong(data) => encode(Opcode::Pong, data).to_vec(),
        Owned::Close(Some(code), reason) => close(*code, reason).to_vec(),
        Owned::Close(None, _) => encode(Opcode::Close, b"").to_vec(),
        Owned::Oversized(..) => panic!("only a decoder that passes over messages has these"),
    }
}

fn conversations() -> impl Strategy<Value = Vec<Owned>> {
    (vec(messages(), 0..8), closes()).prop_map(|(mut messages, close)| {
        messages.push(match close {
            Some((code, reason)) => Owned::Close(Some(code), reason),
            None => Owned::Close(None, String::new()),
        });
        messages
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_another_client_sends_is_read(messages in conversations()) {
        let mut client = client(Vec::new());
        for message in &messages {
            client.send(theirs(message)).unwrap();
        }
        prop_assert_eq!(read(&client.get_ref().sent), (messages, None));
    }

    #[test]
    fn what_is_sent_is_read_by_another_client(messages in conversations()) {
        let mut client = client(messages.iter().flat_map(ours).collect());
        for message in &messages {
            prop_assert_eq!(client.read().unwrap(), theirs(message));
        }
    }
}
