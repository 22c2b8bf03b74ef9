//! Any polling body is packets or one error; packets that are written again are read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::eio::{Data, Packet, SEPARATOR, encode, encode_binary, payload};

fuzz_target!(|body: &str| {
    let items: Vec<_> = payload(body).collect();
    assert!(!items.is_empty() && items.len() <= body.len() + 1);
    assert!(items.iter().rev().skip(1).all(Result::is_ok));
    let packets: Vec<_> = items.into_iter().filter_map(Result::ok).collect();
    if packets.is_empty() {
        return;
    }
    let Ok(written) = String::from_utf8(write(&packets)) else {
        panic!("a body must be text")
    };
    let again: Result<Vec<_>, _> = payload(&written).collect();
    assert_eq!(again, Ok(packets));
});

fn write(packets: &[Packet<'_>]) -> Vec<u8> {
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
    out
}
