//! Engine.IO 4, "Packet encoding", tested through the public interface only.

use proptest::{collection::vec, prelude::*};
use sluice_codec::eio::{
    Data, Error, Open, Packet, PacketType, SEPARATOR, decode, encode, encode_binary, open, payload,
};

fn text(kind: PacketType, data: &str) -> Packet<'_> {
    Packet {
        kind,
        data: Data::Text(data),
    }
}

fn binary(data: &[u8]) -> Packet<'static> {
    Packet {
        kind: PacketType::Message,
        data: Data::Binary(data.to_vec().into()),
    }
}

fn read(body: &str) -> Result<Vec<Packet<'_>>, Error> {
    payload(body).collect()
}

// Packet types.

#[test]
fn every_type_is_read_with_and_without_data() {
    let kinds = [
        ("0", PacketType::Open),
        ("1", PacketType::Close),
        ("2", PacketType::Ping),
        ("3", PacketType::Pong),
        ("4", PacketType::Message),
        ("5", PacketType::Upgrade),
        ("6", PacketType::Noop),
    ];
    for (digit, kind) in kinds {
        assert_eq!(decode(digit), Ok(text(kind, "")));
        assert_eq!(decode(&format!("{digit}data")), Ok(text(kind, "data")));
    }
}

#[test]
fn a_probe_is_a_ping_with_data() {
    assert_eq!(decode("2probe"), Ok(text(PacketType::Ping, "probe")));
}

#[test]
fn data_may_be_any_text() {
    for data in ["€ 😀", "4", "b", "\u{0}", " "] {
        assert_eq!(
            decode(&format!("4{data}")),
            Ok(text(PacketType::Message, data))
        );
    }
}

#[test]
fn an_empty_packet_is_refused() {
    assert_eq!(decode(""), Err(Error::EmptyPacket));
}

#[test]
fn an_unknown_type_is_refused() {
    for packet in ["7", "9", "a", "abc", " 4", "-1", "B", "€", "\u{1e}"] {
        assert_eq!(decode(packet), Err(Error::UnknownType), "{packet:?}");
    }
}

// Base64.

#[test]
fn base64_is_a_binary_message() {
    assert_eq!(decode("bAQIDBA=="), Ok(binary(&[1, 2, 3, 4])));
    assert_eq!(decode("b"), Ok(binary(&[])));
}

#[test]
fn base64_may_lack_its_padding() {
    assert_eq!(decode("bAQIDBA"), Ok(binary(&[1, 2, 3, 4])));
    assert_eq!(decode("bAQIDBAU"), Ok(binary(&[1, 2, 3, 4, 5])));
}

#[test]
fn what_is_not_base64_is_refused() {
    for packet in ["b!", "bA", "bAQIDBA=x", "b====", "bAQ ID", "bAQ-_", "b€"] {
        assert_eq!(decode(packet), Err(Error::InvalidBase64), "{packet:?}");
    }
}

// Polling bodies.

#[test]
fn a_body_of_one_packet_is_read() {
    assert_eq!(read("4hello"), Ok(vec![text(PacketType::Message, "hello")]));
}

#[test]
fn the_packets_of_a_body_are_read_in_order() {
    let expected = vec![
        text(PacketType::Message, "hello"),
        text(PacketType::Ping, ""),
        text(PacketType::Message, "world"),
        binary(&[1, 2, 3, 4]),
    ];
    assert_eq!(
        read("4hello\u{1e}2\u{1e}4world\u{1e}bAQIDBA=="),
        Ok(expected)
    );
}

#[test]
fn an_empty_part_is_refused() {
    for body in ["", "\u{1e}", "4a\u{1e}", "\u{1e}4a", "4a\u{1e}\u{1e}4b"] {
        assert_eq!(read(body), Err(Error::EmptyPacket), "{body:?}");
    }
}

#[test]
fn packets_before_an_error_are_handed_out_and_none_after_it() {
    let items: Vec<_> = payload("4a\u{1e}abc\u{1e}4b").collect();
    assert_eq!(
        items,
        [Ok(text(PacketType::Message, "a")), Err(Error::UnknownType)]
    );
}

#[test]
fn a_body_may_have_any_number_of_packets() {
    assert_eq!(payload(&vec!["2"; 100_000].join("\u{1e}")).count(), 100_000);
}

// What the server sends.

#[test]
fn the_handshake_is_written() {
    let handshake = Open {
        sid: "lv_VI97HAXpY6yYWAAAC",
        upgrades: &["websocket"],
        ping_interval: 25_000,
        ping_timeout: 20_000,
        max_payload: 1_000_000,
    };
    let mut out = Vec::new();
    open(&handshake, &mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
    );
}

#[test]
fn packets_are_appended() {
    let mut out = Vec::new();
    encode(PacketType::Pong, "probe", &mut out);
    out.push(SEPARATOR);
    encode_binary(&[1, 2, 3, 4], &mut out);
    out.push(SEPARATOR);
    encode(PacketType::Noop, "", &mut out);
    assert_eq!(out, b"3probe\x1ebAQIDBA==\x1e6");
}

// Errors.

#[test]
fn every_error_has_its_code_and_a_sentence() {
    let errors = [Error::EmptyPacket, Error::UnknownType, Error::InvalidBase64];
    for error in errors {
        assert!(error.code().starts_with("engineio_"));
        assert!(error.to_string().ends_with('.'));
    }
}

fn packets() -> impl Strategy<Value = Packet<'static>> {
    let kind = prop::sample::select(vec![
        PacketType::Open,
        PacketType::Close,
        PacketType::Ping,
        PacketType::Pong,
        PacketType::Message,
        PacketType::Upgrade,
        PacketType::Noop,
    ]);
    let texts = (kind, "\\PC{0,30}").prop_map(|(kind, data)| Packet {
        kind,
        data: Data::Text(String::leak(data)),
    });
    let binaries = vec(any::<u8>(), 0..50).prop_map(|data| binary(&data));
    prop_oneof![texts, binaries]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(packets in vec(packets(), 1..20)) {
        let mut out = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            if index > 0 {
                out.push(SEPARATOR);
            }
            match &packet.data {
                Data::Text(data) => encode(packet.kind, data, &mut out),
                Data::Binary(data) => encode_binary(data, &mut out),
            }
        }
        let body = String::from_utf8(out).unwrap();
        prop_assert_eq!(read(&body), Ok(packets));
    }

    #[test]
    fn any_body_ends_in_packets_or_one_error(body in "[0-7b\u{1e}A-Za-z=]{0,60}") {
        let items: Vec<_> = payload(&body).collect();
        prop_assert!(!items.is_empty() && items.len() <= body.len() + 1);
        prop_assert!(items.iter().rev().skip(1).all(Result::is_ok));
    }
}
