//! Socket.IO 5, "Packet encoding": the parts of a packet.

use sluice_codec::sio::{Error, MAX_NAMESPACE, Packet, PacketType, decode};

fn packet(kind: PacketType, data: &str) -> Packet<'_> {
    Packet {
        kind,
        namespace: "/",
        id: None,
        attachments: 0,
        data,
    }
}

// The document's own examples.

#[test]
fn a_connect_is_read() {
    assert_eq!(decode("0"), Ok(packet(PacketType::Connect, "")));
    let data = r#"{"sid":"oSO0OpakMV_3jnilAAAA"}"#;
    let expected = Packet {
        namespace: "/admin",
        ..packet(PacketType::Connect, data)
    };
    assert_eq!(decode(&format!("0/admin,{data}")), Ok(expected));
}

#[test]
fn a_connect_error_is_read() {
    let data = r#"{"message":"Not authorized"}"#;
    assert_eq!(
        decode(&format!("4{data}")),
        Ok(packet(PacketType::ConnectError, data))
    );
    assert_eq!(
        decode(r#"4"no""#),
        Ok(packet(PacketType::ConnectError, r#""no""#))
    );
}

#[test]
fn an_event_is_read() {
    let data = r#"["foo"]"#;
    assert_eq!(decode(r#"2["foo"]"#), Ok(packet(PacketType::Event, data)));
    let there = Packet {
        namespace: "/admin",
        ..packet(PacketType::Event, data)
    };
    assert_eq!(decode(r#"2/admin,["foo"]"#), Ok(there));
}

#[test]
fn a_binary_event_is_read() {
    let data = r#"["baz",{"_placeholder":true,"num":0}]"#;
    let expected = Packet {
        attachments: 1,
        ..packet(PacketType::BinaryEvent, data)
    };
    assert_eq!(decode(&format!("51-{data}")), Ok(expected));
    let there = Packet {
        attachments: 2,
        namespace: "/admin",
        id: Some(7),
        ..expected
    };
    assert_eq!(decode(&format!("52-/admin,7{data}")), Ok(there));
}

#[test]
fn an_event_that_asks_for_an_ack_is_read() {
    let expected = Packet {
        id: Some(12),
        ..packet(PacketType::Event, r#"["foo"]"#)
    };
    assert_eq!(decode(r#"212["foo"]"#), Ok(expected));
    let there = Packet {
        namespace: "/admin",
        ..expected
    };
    assert_eq!(decode(r#"2/admin,12["foo"]"#), Ok(there));
}

#[test]
fn an_ack_is_read() {
    let expected = Packet {
        id: Some(13),
        ..packet(PacketType::Ack, "[]")
    };
    assert_eq!(decode("313[]"), Ok(expected));
    let there = Packet {
        namespace: "/admin",
        ..expected
    };
    assert_eq!(decode("3/admin,13[]"), Ok(there));
    let binary = Packet {
        kind: PacketType::BinaryAck,
        attachments: 1,
        id: Some(15),
        ..expected
    };
    assert_eq!(decode("61-15[]"), Ok(binary));
}

#[test]
fn a_disconnect_is_read() {
    assert_eq!(decode("1"), Ok(packet(PacketType::Disconnect, "")));
    let there = Packet {
        namespace: "/admin",
        ..packet(PacketType::Disconnect, "")
    };
    assert_eq!(decode("1/admin,"), Ok(there));
}

// Types.

#[test]
fn an_unknown_type_is_refused() {
    for text in ["", "7", "9[]", "a", "abc", "-1", " 0", "€", "["] {
        assert_eq!(decode(text), Err(Error::UnknownType), "{text:?}");
    }
}

// Namespaces.

#[test]
fn a_namespace_may_end_the_packet_without_a_comma() {
    let expected = Packet {
        namespace: "/custom",
        ..packet(PacketType::Connect, "")
    };
    assert_eq!(decode("0/custom"), Ok(expected));
    assert_eq!(
        decode("1/custom").map(|packet| packet.namespace),
        Ok("/custom")
    );
}

#[test]
fn a_namespace_loses_its_query_string() {
    for text in ["0/ns?x=y,", "0/ns?x=y&z={},{}", "0/ns?", "0/ns?a?b,"] {
        assert_eq!(
            decode(text).map(|packet| packet.namespace),
            Ok("/ns"),
            "{text}"
        );
    }
    assert_eq!(
        decode("0/?token=abc,{}").map(|packet| packet.namespace),
        Ok("/")
    );
}

#[test]
fn the_main_namespace_may_be_named() {
    assert_eq!(decode("0/,"), decode("0"));
    assert_eq!(decode(r#"2/,1["a"]"#), decode(r#"21["a"]"#));
}

#[test]
fn a_namespace_may_have_any_characters_but_control_characters() {
    assert_eq!(
        decode("0/für/😀 1,").map(|packet| packet.namespace),
        Ok("/für/😀 1")
    );
    for text in ["0/a\nb,", "0/\u{0},", "0/\u{7f},", "0/\u{1b}[0m"] {
        assert_eq!(decode(text), Err(Error::InvalidNamespace), "{text:?}");
    }
}

#[test]
fn a_namespace_is_bounded_without_its_query_string() {
    let longest = format!("/{}", "n".repeat(MAX_NAMESPACE - 1));
    assert_eq!(
        decode(&format!("0{longest}?{longest},")).map(|p| p.namespace),
        Ok(&*longest)
    );
    assert_eq!(
        decode(&format!("0{longest}n,")),
        Err(Error::NamespaceTooLong)
    );
}

#[test]
fn an_event_whose_namespace_never_ends_has_no_payload() {
    assert_eq!(decode(r#"2/admin["foo"]"#), Err(Error::InvalidPayload));
}

// Ids.

#[test]
fn an_id_may_use_64_bits() {
    let id = |text| decode(text).map(|packet| packet.id);
    assert_eq!(id("20[]"), Ok(Some(0)));
    assert_eq!(id("2007[]"), Ok(Some(7)));
    assert_eq!(id("218446744073709551615[]"), Ok(Some(u64::MAX)));
    assert_eq!(id("218446744073709551616[]"), Err(Error::InvalidId));
    assert_eq!(
        decode(&format!("2{}[]", "9".repeat(1000))),
        Err(Error::InvalidId)
    );
}

#[test]
fn an_id_is_only_digits() {
    for text in [
        r#"2abc["x"]"#,
        r#"2-1["x"]"#,
        r#"21.5["x"]"#,
        r#"2+1["x"]"#,
        r#"2 1["x"]"#,
        "2٣[]",
    ] {
        assert_eq!(decode(text), Err(Error::InvalidPayload), "{text}");
    }
}

#[test]
fn an_id_is_refused_where_none_belongs() {
    for text in ["01", "11", r#"41{"message":"x"}"#, "0/a,1{}"] {
        assert_eq!(decode(text), Err(Error::InvalidId), "{text}");
    }
}

#[test]
fn an_ack_needs_the_id_it_answers() {
    for text in ["3[]", "3/admin,[]", "61-[]"] {
        assert_eq!(decode(text), Err(Error::MissingId), "{text}");
    }
}

// Attachments.

#[test]
fn a_binary_packet_must_count_its_attachments() {
    for text in [
        "5", "5-[]", "51[]", "5[]", "5/a,1-[]", "5x-[]", "5-1-[]", "61", "5 1-[]", "5+1-[]",
    ] {
        assert_eq!(decode(text), Err(Error::InvalidAttachments), "{text}");
    }
}

#[test]
fn attachments_are_bounded() {
    assert_eq!(decode("50-[]").map(|packet| packet.attachments), Ok(0));
    assert_eq!(decode("532-[]").map(|packet| packet.attachments), Ok(32));
    assert_eq!(decode("533-[]"), Err(Error::TooManyAttachments));
    let endless = format!("5{}-[]", "9".repeat(1000));
    assert_eq!(decode(&endless), Err(Error::TooManyAttachments));
}

#[test]
fn a_packet_without_binary_counts_none() {
    assert_eq!(decode(r#"21-["foo"]"#), Err(Error::InvalidPayload));
}

// Payloads.

#[test]
fn a_payload_must_fit_its_type() {
    let refused = [
        "0[]", "0\"a\"", "0null", "0 {}", "1{}", "1[]", "1x", "2", "2{}", "2\"a\"", "2null", "31",
        "31{}", "4", "4[]", "4null", "50-", "50-{}", "60-1{}", "2/a,", "2/a",
    ];
    for text in refused {
        assert_eq!(decode(text), Err(Error::InvalidPayload), "{text}");
    }
}

#[test]
fn the_payload_is_kept_as_it_stands() {
    let data = r#"[ "foo" , {"a": [1, 2]} ]"#;
    assert_eq!(
        decode(&format!("2{data}")).map(|packet| packet.data),
        Ok(data)
    );
}

// Errors.

#[test]
fn every_error_has_a_code_of_its_own_and_a_sentence() {
    let errors = [
        Error::UnknownType,
        Error::InvalidAttachments,
        Error::TooManyAttachments,
        Error::NamespaceTooLong,
        Error::InvalidNamespace,
        Error::InvalidId,
        Error::MissingId,
        Error::InvalidPayload,
        Error::TooDeep,
        Error::TooManyArgs,
        Error::ReservedEvent,
        Error::InvalidPlaceholder,
    ];
    let codes: std::collections::BTreeSet<_> = errors.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), errors.len());
    for error in errors {
        assert!(error.code().starts_with("socketio_"));
        assert!(error.to_string().ends_with('.'));
    }
}

#[test]
fn the_bounds_that_errors_name_are_the_bounds() {
    use sluice_codec::sio::{MAX_ARGS, MAX_ATTACHMENTS, MAX_DEPTH};
    for (error, bound) in [
        (Error::TooManyAttachments, MAX_ATTACHMENTS),
        (Error::NamespaceTooLong, MAX_NAMESPACE),
        (Error::TooDeep, MAX_DEPTH),
        (Error::TooManyArgs, MAX_ARGS),
    ] {
        assert!(error.to_string().contains(&format!(" {bound}")), "{error}");
    }
}
