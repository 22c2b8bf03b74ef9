//! Laws of the packet codec.

use proptest::{collection::vec, prelude::*};
use sluice_codec::sio::{PacketType, ack, ack_args, args, decode, event, placeholders};

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Into::into),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| { serde_json::Value::Object(entries.into_iter().collect()) }),
        ]
    })
    .prop_map(|value| value.to_string())
}

fn namespaces() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".to_owned()), "/[^,?\\p{Cc}]{1,30}"]
}

fn texts(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// JSON in which placeholders are likely.
fn with_placeholders() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::from(true)),
        (0_u64..4).prop_map(Into::into),
        "[\"\\\\{}a]{0,3}".prop_map(Into::into),
    ];
    let key = prop_oneof![
        Just("_placeholder".to_owned()),
        Just("num".to_owned()),
        "[\"\\\\a]{0,2}"
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((key.clone(), inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Whether all placeholders in a value are known, by the value itself.
fn all_known(value: &serde_json::Value, attachments: u64) -> bool {
    match value {
        serde_json::Value::Array(items) => items.iter().all(|item| all_known(item, attachments)),
        serde_json::Value::Object(fields) => {
            let number = fields.get("num").and_then(serde_json::Value::as_u64);
            let known = number.is_some_and(|number| number < attachments);
            let is_placeholder = fields.get("_placeholder") == Some(&true.into());
            (known || !is_placeholder) && fields.values().all(|field| all_known(field, attachments))
        }
        _ => true,
    }
}

proptest! {
    #[test]
    fn placeholders_are_found_wherever_they_stand(
        value in with_placeholders(),
        attachments in 0_u64..4,
    ) {
        let wanted = all_known(&value, attachments);
        for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(placeholders(&json, attachments as usize).is_ok(), wanted, "{}", json);
        }
    }

    #[test]
    fn an_event_that_is_written_is_read_back(
        namespace in namespaces(),
        id in any::<Option<u64>>(),
        name in any::<String>(),
        values in vec(json(), 0..6),
        attachments in 0_usize..=32,
    ) {
        prop_assume!(!name.to_lowercase().contains("connect") && !name.contains("Listener"));
        let mut out = Vec::new();
        event(&namespace, id, &name, &texts(&values), attachments, &mut out);
        let text = String::from_utf8(out).unwrap();
        let packet = decode(&text).unwrap();
        let kind = if attachments == 0 { PacketType::Event } else { PacketType::BinaryEvent };
        prop_assert_eq!(
            (packet.kind, packet.namespace, packet.id, packet.attachments),
            (kind, namespace.as_str(), id, attachments)
        );
        let read = args(packet.data).unwrap();
        prop_assert_eq!(read.event.as_ref(), name);
        prop_assert_eq!(read.args.iter().map(|arg| arg.get()).collect::<Vec<_>>(), texts(&values));
        prop_assert_eq!(placeholders(packet.data, 0), Ok(()));
    }

    #[test]
    fn an_ack_that_is_written_is_read_back(
        namespace in namespaces(),
        id in any::<u64>(),
        values in vec(json(), 0..6),
        attachments in 0_usize..=32,
    ) {
        let mut out = Vec::new();
        ack(&namespace, id, &texts(&values), attachments, &mut out);
        let text = String::from_utf8(out).unwrap();
        let packet = decode(&text).unwrap();
        prop_assert_eq!((packet.namespace, packet.id), (namespace.as_str(), Some(id)));
        let read = ack_args(packet.data).unwrap();
        prop_assert_eq!(read.iter().map(|arg| arg.get()).collect::<Vec<_>>(), texts(&values));
    }

    #[test]
    fn any_text_is_a_packet_or_an_error(
        text in "[0-7]{1,2}[-/?,a0-9]{0,6}[\\[{\\]}\",:a0-9tn]{0,30}",
    ) {
        if let Ok(packet) = decode(&text) {
            prop_assert!(packet.namespace.starts_with('/'));
            prop_assert!(text.ends_with(packet.data));
            let (event, ack) = (args(packet.data), ack_args(packet.data));
            let valid = serde_json::from_str::<serde_json::Value>(packet.data).is_ok();
            prop_assert!(valid || (event.is_err() && ack.is_err()));
        }
    }
}
