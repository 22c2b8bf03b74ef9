//! RFC 6455, sections 5.2 and 5.7: frames that the server sends.

use sluice_codec::ws::{Opcode, encode, encode_into, header};

#[test]
fn the_unmasked_examples_of_the_rfc_are_written() {
    assert_eq!(&encode(Opcode::Text, b"Hello")[..], b"\x81\x05Hello");
    assert_eq!(&encode(Opcode::Ping, b"Hello")[..], b"\x89\x05Hello");
    assert_eq!(&encode(Opcode::Binary, &[7; 256])[..4], [0x82, 0x7e, 1, 0]);
    assert_eq!(
        &encode(Opcode::Binary, &vec![7; 65536])[..10],
        [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]
    );
}

#[test]
fn lengths_take_the_fewest_bytes() {
    for (length, size) in [(0, 2), (125, 2), (126, 4), (0xffff, 4), (0x1_0000, 10)] {
        assert_eq!(
            encode(Opcode::Binary, &vec![0; length]).len(),
            length + size
        );
    }
}

#[test]
fn a_header_alone_marks_a_compressed_message() {
    let mut out = vec![9];
    header(Opcode::Text, 3, true, &mut out);
    assert_eq!(out, [9, 0xc1, 3]);
}

#[test]
fn encoding_into_a_buffer_appends() {
    let mut out = b"before".to_vec();
    encode_into(Opcode::Text, b"one", &mut out);
    encode_into(Opcode::Pong, b"", &mut out);
    assert_eq!(out, b"before\x81\x03one\x8a\x00");
}
