//! Any text is a packet or an error; what is accepted is JSON, and written again it is read the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use sluice_codec::sio::{
    MAX_ARGS, MAX_ATTACHMENTS, Packet, PacketType, ack, ack_args, args, decode, event, placeholders,
};

fuzz_target!(|text: &str| {
    let Ok(packet) = decode(text) else { return };
    assert!(packet.namespace.starts_with('/') && text.ends_with(packet.data));
    assert!(packet.attachments <= MAX_ATTACHMENTS);
    let _ = placeholders(packet.data, packet.attachments);
    match packet.kind {
        PacketType::Event | PacketType::BinaryEvent => read_event(&packet),
        PacketType::Ack | PacketType::BinaryAck => read_ack(&packet),
        PacketType::Connect | PacketType::Disconnect | PacketType::ConnectError => {}
    }
});

fn read_event(packet: &Packet<'_>) {
    let Ok(found) = args(packet.data) else { return };
    let raw: Vec<_> = found.args.iter().map(|arg| arg.get()).collect();
    check(packet.data, &raw);
    let mut out = Vec::new();
    event(
        packet.namespace,
        packet.id,
        &found.event,
        &raw,
        packet.attachments,
        &mut out,
    );
    let again = text(out);
    let Ok(again) = decode(&again) else {
        panic!("{again} should be read")
    };
    assert_eq!(parts(&again), parts(packet));
    let Ok(args) = args(again.data) else {
        panic!("{} should be read", again.data)
    };
    assert_eq!(args.event, found.event);
    assert!(args.args.iter().map(|arg| arg.get()).eq(raw));
}

fn read_ack(packet: &Packet<'_>) {
    let (Ok(found), Some(id)) = (ack_args(packet.data), packet.id) else {
        return;
    };
    let raw: Vec<_> = found.iter().map(|arg| arg.get()).collect();
    check(packet.data, &raw);
    let mut out = Vec::new();
    ack(packet.namespace, id, &raw, packet.attachments, &mut out);
    let again = text(out);
    let Ok(again) = decode(&again) else {
        panic!("{again} should be read")
    };
    assert_eq!(parts(&again), parts(packet));
}

fn check(data: &str, raw: &[&str]) {
    assert!(raw.len() <= MAX_ARGS);
    assert!(serde_json::from_str::<IgnoredAny>(data).is_ok());
}

fn parts<'a>(packet: &Packet<'a>) -> (&'a str, Option<u64>, usize) {
    (packet.namespace, packet.id, packet.attachments)
}

fn text(out: Vec<u8>) -> String {
    let Ok(text) = String::from_utf8(out) else {
        panic!("a packet must be text")
    };
    text
}
