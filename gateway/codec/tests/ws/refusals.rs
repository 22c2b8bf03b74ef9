//! RFC 6455, sections 5.1 to 5.5: what a server must refuse, and with which code.

use crate::client::{MASK, events, fragment, frame, frame_bits, read_by_bytes, refusal};
use sluice_codec::ws::{Opcode, close};

/// Refused alike whether it arrives at once or byte by byte.
fn refused(stream: &[u8], code: u16, word: &str) {
    let (found, reason) = refusal(stream);
    assert_eq!(found, code, "{reason}");
    assert!(reason.contains(word), "{reason:?} should mention {word:?}");
    let Some(error) = read_by_bytes(stream).1 else {
        panic!("byte by byte it was accepted")
    };
    assert_eq!((error.code, error.reason), (found, reason));
}

/// The header of a masked text frame with a length as given, and no payload.
fn announced(length: &[u8]) -> Vec<u8> {
    [&[0x81], length, &MASK[..]].concat()
}

// Section 5.1.

#[test]
fn an_unmasked_frame_is_refused() {
    refused(&[0x81, 0x02, b'h', b'i'], 1002, "mask");
    refused(&[0x89, 0x00], 1002, "mask");
    refused(&[0x88, 0x00], 1002, "mask");
}

#[test]
fn an_unmasked_frame_is_refused_before_its_payload_is_there() {
    refused(&[0x82, 0x7f], 1002, "mask");
}

// Section 5.2.

#[test]
fn each_reserved_bit_is_refused_on_each_kind_of_frame() {
    for bit in [0x40, 0x20, 0x10, 0x70] {
        for opcode in [1, 2, 8, 9, 10] {
            refused(&frame_bits(0x80 | bit, opcode, b""), 1002, "reserved bit");
        }
    }
}

#[test]
fn a_reserved_bit_is_refused_on_a_continuation() {
    let stream = [fragment(Opcode::Text, b"a"), frame_bits(0xc0, 0, b"b")].concat();
    refused(&stream, 1002, "reserved bit");
}

#[test]
fn every_reserved_opcode_is_refused() {
    for opcode in (3..=7).chain(11..=15) {
        refused(&frame_bits(0x80, opcode, b""), 1002, "reserved opcode");
    }
}

#[test]
fn a_refusal_needs_no_more_than_the_byte_that_shows_it() {
    refused(&[0x83], 1002, "reserved opcode");
    refused(&[0xc1], 1002, "reserved bit");
    refused(&[0x80], 1002, "continue");
    refused(&[0x09], 1002, "fragmented");
}

#[test]
fn a_16_bit_length_under_126_is_refused() {
    refused(&announced(&[0xfe, 0, 125]), 1002, "fewest bytes");
    refused(&announced(&[0xfe, 0, 0]), 1002, "fewest bytes");
}

#[test]
fn a_64_bit_length_that_fits_16_bits_is_refused() {
    refused(
        &announced(&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        1002,
        "fewest bytes",
    );
    refused(
        &announced(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1]),
        1002,
        "fewest bytes",
    );
}

#[test]
fn a_64_bit_length_with_the_highest_bit_is_refused() {
    refused(
        &announced(&[0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        1002,
        "highest bit",
    );
    refused(&announced(&[0xff; 9]), 1002, "highest bit");
}

#[test]
fn the_least_length_of_each_form_is_taken() {
    for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
        let payload = vec![b'x'; length];
        assert_eq!(events(&frame(Opcode::Text, &payload)).len(), 1, "{length}");
    }
}

// Section 5.4.

#[test]
fn a_continuation_of_nothing_is_refused() {
    refused(&frame(Opcode::Continuation, b"x"), 1002, "continue");
    refused(&fragment(Opcode::Continuation, b"x"), 1002, "continue");
}

#[test]
fn a_continuation_after_a_finished_message_is_refused() {
    let stream = [
        fragment(Opcode::Text, b"a"),
        frame(Opcode::Continuation, b"b"),
        frame(Opcode::Continuation, b"c"),
    ]
    .concat();
    refused(&stream, 1002, "continue");
}

#[test]
fn a_new_message_inside_a_fragmented_one_is_refused() {
    for opcode in [Opcode::Text, Opcode::Binary] {
        let stream = [fragment(Opcode::Text, b"a"), frame(opcode, b"b")].concat();
        refused(&stream, 1002, "before the fragmented one");
    }
}

#[test]
fn a_control_frame_does_not_end_a_fragmented_message() {
    let stream = [
        fragment(Opcode::Text, b"a"),
        frame(Opcode::Ping, b""),
        frame(Opcode::Text, b"b"),
    ]
    .concat();
    refused(&stream, 1002, "before the fragmented one");
}

// Section 5.5.

#[test]
fn a_control_frame_over_125_bytes_is_refused() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        refused(&frame(opcode, &[b'x'; 126]), 1002, "125 bytes");
        refused(&frame(opcode, &vec![b'x'; 70_000]), 1002, "125 bytes");
    }
}

#[test]
fn a_fragmented_control_frame_is_refused() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        refused(&fragment(opcode, b""), 1002, "fragmented");
    }
}

#[test]
fn events_before_the_breach_are_still_handed_out() {
    let stream = [frame(Opcode::Text, b"good"), frame_bits(0x80, 3, b"")].concat();
    let (events, error) = crate::client::read(&stream);
    assert_eq!(events.len(), 1);
    assert!(error.is_some());
}

#[test]
fn every_reason_fits_a_close_frame_whole() {
    for stream in [
        &[0x83][..],
        &[0xc1],
        &[0x80],
        &[0x81, 0],
        &announced(&[0xff; 9]),
    ] {
        let (code, reason) = refusal(stream);
        assert!(close(code, reason).ends_with(reason.as_bytes()));
    }
}
