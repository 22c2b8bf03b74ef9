//! RFC 7692: permessage-deflate without context takeover.

use crate::client::{Owned, frame, frame_bits, read_with};
use sluice_codec::ws::{Decoder, Opcode, ProtocolError, encode, encode_deflated};

fn read(max: usize, stream: &[u8]) -> (Vec<Owned>, Option<ProtocolError>) {
    let whole = read_with(&mut Decoder::new(max, true), [stream]);
    let by_bytes = read_with(&mut Decoder::new(max, true), stream.chunks(1));
    assert_eq!(whole, by_bytes);
    whole
}

fn hello() -> Vec<Owned> {
    vec![Owned::Text("Hello".to_owned())]
}

/// The payload of a server frame, sent back as a client would.
fn packed(text: &str) -> Vec<u8> {
    let sent = encode_deflated(Opcode::Text, text.as_bytes());
    assert_eq!(sent[0], 0xc1, "it should be compressed");
    let start = match sent[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    sent[start..].to_vec()
}

// Section 7.2.3: the RFC's examples.

#[test]
fn a_message_in_one_block_is_unpacked() {
    let stream = frame_bits(0xc0, 1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    assert_eq!(read(100, &stream), (hello(), None));
}

#[test]
fn a_message_in_two_fragments_is_unpacked() {
    let stream = [
        frame_bits(0x40, 1, &[0xf2, 0x48, 0xcd]),
        frame(Opcode::Ping, b""),
        frame_bits(0x80, 0, &[0xc9, 0xc9, 0x07, 0x00]),
    ]
    .concat();
    assert_eq!(read(100, &stream).0[1..], hello());
}

#[test]
fn a_block_without_compression_is_unpacked() {
    let stream = frame_bits(
        0xc0,
        1,
        &[
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ],
    );
    assert_eq!(read(100, &stream), (hello(), None));
}

#[test]
fn a_final_block_is_unpacked() {
    let stream = frame_bits(0xc0, 1, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]);
    assert_eq!(read(100, &stream), (hello(), None));
}

#[test]
fn two_blocks_in_one_message_are_unpacked() {
    let stream = frame_bits(
        0xc0,
        1,
        &[
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ],
    );
    assert_eq!(read(100, &stream), (hello(), None));
}

#[test]
fn an_empty_message_is_unpacked() {
    assert_eq!(
        read(0, &frame_bits(0xc0, 1, &[0x00])).0,
        [Owned::Text(String::new())]
    );
    assert_eq!(
        read(0, &frame_bits(0xc0, 2, &[])).0,
        [Owned::Binary(vec![])]
    );
}

#[test]
fn messages_do_not_share_a_context() {
    let one = frame_bits(0xc0, 1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    // Section 7.2.3.2: this refers back to the message before it.
    let two = frame_bits(0xc0, 1, &[0xf2, 0x00, 0x11, 0x00, 0x00]);
    assert_eq!(read(100, &one.repeat(3)).0.len(), 3);
    let (events, error) = read(100, &[one, two].concat());
    assert_eq!(events, hello());
    assert_eq!(error.map(|error| error.code), Some(1007));
}

#[test]
fn uncompressed_messages_may_be_mixed_in() {
    let stream = [
        frame(Opcode::Text, b"Hello"),
        frame_bits(0xc0, 1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
        frame(Opcode::Text, b"Hello"),
    ]
    .concat();
    assert_eq!(
        read(100, &stream),
        ([hello(), hello(), hello()].concat(), None)
    );
}

// Section 6: only the first frame of a data message is marked.

#[test]
fn the_mark_is_refused_where_it_does_not_belong() {
    for opcode in [8, 9, 10] {
        assert_eq!(
            read(100, &frame_bits(0xc0, opcode, b""))
                .1
                .map(|error| error.code),
            Some(1002)
        );
    }
    let stream = [frame_bits(0x40, 1, &[0xf2]), frame_bits(0xc0, 0, &[0x48])].concat();
    assert_eq!(read(100, &stream).1.map(|error| error.code), Some(1002));
    let stream = frame_bits(0xe0, 1, b"");
    assert_eq!(read(100, &stream).1.map(|error| error.code), Some(1002));
}

#[test]
fn the_mark_is_refused_where_the_extension_was_not_agreed() {
    let stream = frame_bits(0xc0, 1, &[0x00]);
    let (_, error) = read_with(&mut Decoder::new(100, false), [&stream[..]]);
    assert_eq!(error.map(|error| error.code), Some(1002));
}

#[test]
fn what_is_not_deflate_is_refused() {
    for junk in [
        &[0xff; 20][..],
        &[0x07, 0x07, 0x07],
        &[0x00, 0x05, 0x00, 0x00, 0x00],
    ] {
        assert_eq!(
            read(100, &frame_bits(0xc0, 2, junk))
                .1
                .map(|error| error.code),
            Some(1007)
        );
    }
}

#[test]
fn unpacked_text_must_be_utf8() {
    let bytes = [&[0xff][..], &[b'a'; 200]].concat();
    let sent = encode_deflated(Opcode::Binary, &bytes);
    let (_, error) = read(300, &frame_bits(0xc0, 1, &sent[2..]));
    assert_eq!(error.map(|error| error.code), Some(1007));
}

// Bounds.

#[test]
fn a_bomb_is_refused_at_the_bound() {
    let bomb = packed(&"a".repeat(1_000_000));
    assert!(bomb.len() < 10_000);
    assert_eq!(
        read(999_999, &frame_bits(0xc0, 1, &bomb))
            .1
            .map(|error| error.code),
        Some(1009)
    );
    assert_eq!(read(1_000_000, &frame_bits(0xc0, 1, &bomb)).0.len(), 1);
}

#[test]
fn packed_bytes_are_bounded_too() {
    let stream = frame_bits(0xc0, 1, &[0; 200]);
    assert_eq!(
        read(100, &stream[..10]).1.map(|error| error.code),
        Some(1009)
    );
}

#[test]
fn a_message_at_the_bound_that_does_not_compress_is_taken() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(60_000)
    .collect();
    // Stored blocks of 10,000 bytes, as a sender writes what it cannot shrink.
    let stored: Vec<u8> = noise
        .chunks(10_000)
        .flat_map(|block| {
            let length = (block.len() as u16).to_le_bytes();
            let inverse = (!(block.len() as u16)).to_le_bytes();
            [&[0][..], &length, &inverse, block].concat()
        })
        .chain([0])
        .collect();
    assert_eq!(
        read(noise.len(), &frame_bits(0xc0, 2, &stored)).0,
        [Owned::Binary(noise)]
    );
}

#[test]
fn a_decoder_keeps_nothing_after_a_compressed_message() {
    let mut decoder = Decoder::new(10_000, true);
    let stream = frame_bits(0xc0, 1, &packed(&"hello ".repeat(100)));
    assert_eq!(read_with(&mut decoder, [&stream[..]]).0.len(), 1);
    assert!(decoder.is_idle());
}

// What the server sends.

#[test]
fn what_would_not_shrink_is_sent_as_it_is() {
    for payload in [&b""[..], b"a", b"Hi"] {
        assert_eq!(
            encode_deflated(Opcode::Text, payload),
            encode(Opcode::Text, payload)
        );
    }
}

#[test]
fn control_frames_are_sent_as_they_are() {
    let payload = [b'a'; 125];
    assert_eq!(
        encode_deflated(Opcode::Ping, &payload),
        encode(Opcode::Ping, &payload)
    );
}

#[test]
fn what_the_server_packs_can_be_unpacked() {
    for length in [200, 5_000, 16_384, 16_385, 70_000, 1_000_000] {
        let text: String = (0..length)
            .map(|n| char::from(b'a' + (n * n % 23) as u8))
            .collect();
        let stream = frame_bits(0xc0, 1, &packed(&text));
        let mut decoder = Decoder::new(length, true);
        assert_eq!(
            read_with(&mut decoder, [&stream[..]]).0,
            [Owned::Text(text)],
            "{length}"
        );
    }
}
