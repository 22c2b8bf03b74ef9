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

proptest! {
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
