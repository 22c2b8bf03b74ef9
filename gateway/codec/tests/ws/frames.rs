//! RFC 6455, section 5: framing, masking, fragmentation, control frames.

use crate::client::{
    self, Owned, events, fragment, frame, frame_bits, read, read_by_bytes, refusal,
};
use sluice_codec::ws::{Decoder, Opcode};

fn text(text: &str) -> Owned {
    Owned::Text(text.to_owned())
}

// Section 5.7: the RFC's own examples.

#[test]
fn the_masked_hello_of_the_rfc_is_read() {
    let stream = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(events(&stream), [text("Hello")]);
}

#[test]
fn frames_that_follow_each_other_are_read_in_order() {
    let stream = [
        frame(Opcode::Text, b"one"),
        frame(Opcode::Ping, b"two"),
        frame(Opcode::Binary, &[3]),
        frame(Opcode::Pong, b""),
    ]
    .concat();
    let expected = [
        text("one"),
        Owned::Ping(b"two".to_vec()),
        Owned::Binary(vec![3]),
        Owned::Pong(vec![]),
    ];
    assert_eq!(events(&stream), expected);
    assert_eq!(read_by_bytes(&stream), (expected.to_vec(), None));
}

// Section 5.4: fragmentation.

#[test]
fn a_fragmented_message_is_joined() {
    let stream = [
        fragment(Opcode::Text, b"Hel"),
        fragment(Opcode::Continuation, b""),
        frame(Opcode::Continuation, b"lo"),
    ]
    .concat();
    assert_eq!(events(&stream), [text("Hello")]);
    assert_eq!(read_by_bytes(&stream).0, [text("Hello")]);
}

#[test]
fn a_control_frame_between_fragments_is_handed_out_before_the_message() {
    let stream = [
        fragment(Opcode::Text, b"Hel"),
        frame(Opcode::Ping, b"?"),
        frame(Opcode::Continuation, b"lo"),
    ]
    .concat();
    let expected = vec![Owned::Ping(b"?".to_vec()), text("Hello")];
    assert_eq!(events(&stream), expected);
    assert_eq!(read_by_bytes(&stream).0, expected);
}

#[test]
fn the_decoder_is_idle_between_messages_and_small() {
    assert!(size_of::<Decoder>() <= 48);
    let mut decoder = Decoder::new(100, false);
    assert!(decoder.is_idle());
    let stream = frame(Opcode::Text, b"Hello");
    let (events, _) = client::read_with(&mut decoder, [&stream[..8]]);
    assert!(events.is_empty() && !decoder.is_idle());
    let (events, _) = client::read_with(&mut decoder, [&stream[8..]]);
    assert_eq!(events, [text("Hello")]);
    assert!(decoder.is_idle());
}

#[test]
fn an_unmasked_frame_is_refused() {
    assert_eq!(refusal(&[0x81, 0x00]).0, 1002);
    assert!(read(&frame_bits(0x80, 1, b"")).1.is_none());
}
