//! RFC 6455, section 5: framing, masking, fragmentation, control frames.

use crate::client::{Owned, events, fragment, frame, read_by_bytes};
use sluice_codec::ws::{Decoder, Event, Opcode};

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
fn a_whole_frame_is_handed_out_from_where_it_arrived() {
    let mut stream = frame(Opcode::Text, &[b'x'; 200]);
    let place = stream.as_ptr_range();
    let mut decoder = Decoder::new(1000, false);
    let mut input = stream.as_mut_slice();
    let Ok(Some(Event::Text(text))) = decoder.next(&mut input) else {
        panic!("a text is there")
    };
    assert!(place.contains(&text.as_ptr()));
    assert!(decoder.is_idle());
}

#[test]
fn every_mask_is_taken_off_at_every_length() {
    for mask in [[0; 4], [0xff; 4], [1, 2, 3, 4], [0x80, 0, 0x7f, 0xff]] {
        for length in 0..70 {
            let payload: Vec<u8> = (0..length).map(|n| n * 3).collect();
            let mut stream = vec![0x82, 0x80 | length];
            stream.extend(mask);
            stream.extend(
                payload
                    .iter()
                    .zip(mask.iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
            let expected = vec![Owned::Binary(payload)];
            assert_eq!(events(&stream), expected);
            assert_eq!(read_by_bytes(&stream).0, expected);
        }
    }
}
