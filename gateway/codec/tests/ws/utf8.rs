//! RFC 6455, section 8.1: text is UTF-8, over all fragments of a message.

use crate::client::{Owned, events, fragment, frame, read, read_by_bytes};
use sluice_codec::ws::Opcode;

const INVALID: [&[u8]; 12] = [
    &[0x80],
    &[0xff],
    &[0xc0, 0xaf],
    &[0xe0, 0x80, 0xaf],
    &[0xf0, 0x80, 0x80, 0xaf],
    &[0xed, 0xa0, 0x80],
    &[0xed, 0xbf, 0xbf],
    &[0xf4, 0x90, 0x80, 0x80],
    &[0xf8, 0x88, 0x80, 0x80, 0x80],
    &[0xce],
    &[0xe2, 0x82],
    &[0xf0, 0x9f, 0x98],
];

fn refused(stream: &[u8]) {
    for (events, error) in [read(stream), read_by_bytes(stream)] {
        assert!(events.is_empty(), "{events:?}");
        assert_eq!(error.map(|error| error.code), Some(1007), "{stream:x?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for bytes in INVALID {
        refused(&frame(Opcode::Text, bytes));
        let long = [&[b'a'; 300][..], bytes].concat();
        refused(&frame(Opcode::Text, &long));
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_in_fragments() {
    for bytes in INVALID {
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            refused(
                &[
                    fragment(Opcode::Text, first),
                    frame(Opcode::Continuation, second),
                ]
                .concat(),
            );
        }
    }
}

#[test]
fn the_same_bytes_are_fine_as_a_binary_message() {
    for bytes in INVALID {
        assert_eq!(
            events(&frame(Opcode::Binary, bytes)),
            [Owned::Binary(bytes.to_vec())]
        );
    }
}

#[test]
fn a_character_may_be_cut_between_fragments_anywhere() {
    let text = "κόσμε €uro 😀 \u{10ffff} \u{0}";
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        let stream = [
            fragment(Opcode::Text, first),
            frame(Opcode::Continuation, second),
        ]
        .concat();
        let expected = vec![Owned::Text(text.to_owned())];
        assert_eq!(events(&stream), expected);
        assert_eq!(read_by_bytes(&stream).0, expected);
    }
}

#[test]
fn a_hopeless_text_is_refused_before_it_is_complete() {
    let stream = [
        fragment(Opcode::Text, b"ok"),
        fragment(Opcode::Continuation, b"\xff"),
    ]
    .concat();
    refused(&stream);
    let mut half = frame(Opcode::Text, &[&b"\xff"[..], &[b'x'; 100]].concat());
    half.truncate(20);
    refused(&half);
}

#[test]
fn an_unfinished_character_is_not_refused_while_more_can_come() {
    let stream = [
        fragment(Opcode::Text, b"\xf0\x9f"),
        fragment(Opcode::Continuation, b""),
    ]
    .concat();
    assert_eq!(read(&stream), (vec![], None));
}
