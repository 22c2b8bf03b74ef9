//! Messages over the bound, where the decoder passes over them.

use crate::client::{Owned, fragment, frame, frame_bits, read_with};
use sluice_codec::ws::{Decoder, Opcode, ProtocolError, encode_deflated};

const BOUND: usize = 100;
const SKIPPED: usize = 10_000;

fn decoder() -> Decoder {
    Decoder::new(BOUND, true).skipping(SKIPPED)
}

/// The same whether the stream arrives at once, byte by byte, or in pieces of 7.
fn read(stream: &[u8]) -> (Vec<Owned>, Option<ProtocolError>) {
    let whole = read_with(&mut decoder(), [stream]);
    for size in [1, 7] {
        assert_eq!(read_with(&mut decoder(), stream.chunks(size)), whole);
    }
    whole
}

fn hello() -> Owned {
    Owned::Text("Hello".to_owned())
}

fn passed_over(stream: &[u8]) -> Owned {
    let (mut events, error) = read(&[stream, &frame(Opcode::Text, b"Hello")].concat());
    assert_eq!(error, None);
    assert_eq!(events.pop(), Some(hello()), "what follows is read");
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn a_message_over_the_bound_is_handed_out_by_its_head_and_what_follows_is_read() {
    let text = "x".repeat(BOUND + 1);
    assert_eq!(
        passed_over(&frame(Opcode::Text, text.as_bytes())),
        Owned::Oversized(true, text.clone().into_bytes(), BOUND + 1)
    );
    let long = vec![7; SKIPPED];
    assert_eq!(
        passed_over(&frame(Opcode::Binary, &long)),
        Owned::Oversized(false, vec![7; 1024], SKIPPED)
    );
}

#[test]
fn a_message_of_exactly_the_bound_is_whole() {
    let text = "x".repeat(BOUND);
    let (events, error) = read(&frame(Opcode::Text, text.as_bytes()));
    assert_eq!((events, error), (vec![Owned::Text(text)], None));
}

#[test]
fn fragments_are_summed_and_control_frames_between_them_are_read() {
    let stream = [
        fragment(Opcode::Text, &[b'a'; 60]),
        fragment(Opcode::Continuation, &[b'b'; 60]),
        frame(Opcode::Ping, b"?"),
        fragment(Opcode::Continuation, &[b'c'; 2000]),
        frame(Opcode::Continuation, b""),
        frame(Opcode::Text, b"Hello"),
    ]
    .concat();
    let head = [vec![b'a'; 60], vec![b'b'; 60], vec![b'c'; 904]].concat();
    let events = vec![
        Owned::Ping(b"?".to_vec()),
        Owned::Oversized(true, head, 2120),
        hello(),
    ];
    assert_eq!(read(&stream), (events, None));
}

#[test]
fn a_compressed_message_is_handed_out_by_how_it_begins_unpacked() {
    let text = r#"2["publish","#.to_owned() + &"a".repeat(5_000);
    let packed = encode_deflated(Opcode::Text, text.as_bytes());
    assert!(packed.len() < BOUND, "it is over the bound only unpacked");
    let Owned::Oversized(true, head, bytes) = passed_over(&frame_bits(0xc0, 1, &packed[2..]))
    else {
        panic!("it is passed over")
    };
    assert_eq!(
        (head, bytes),
        (text.as_bytes()[..1024].to_vec(), packed.len() - 2)
    );

    let noise: String = (0..3_000_u32)
        .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90))
        .collect();
    let packed = encode_deflated(Opcode::Text, noise.as_bytes());
    let body = packed.iter().skip(4).copied().collect::<Vec<_>>();
    assert!(body.len() > 2 * BOUND, "it is over the bound packed too");
    let Owned::Oversized(true, head, bytes) = passed_over(&frame_bits(0xc0, 1, &body)) else {
        panic!("it is passed over")
    };
    assert_eq!(bytes, body.len());
    assert!(!head.is_empty() && noise.as_bytes().starts_with(&head));
}

#[test]
fn what_is_longer_than_may_be_passed_over_fails_at_its_header() {
    let stream = frame(Opcode::Binary, &vec![0; SKIPPED + 1]);
    let (events, error) = read(&stream[..8]);
    assert_eq!(
        (events, error.map(|error| error.code)),
        (vec![], Some(1009))
    );
    let stream = [
        fragment(Opcode::Binary, &vec![0; SKIPPED]),
        frame(Opcode::Continuation, &[0]),
    ]
    .concat();
    assert_eq!(read(&stream).1.map(|error| error.code), Some(1009));
}

#[test]
fn the_rest_of_a_text_is_not_looked_at() {
    let mut text = vec![b'x'; 2_000];
    text[1_900] = 0xff;
    let head = Owned::Oversized(true, vec![b'x'; 1024], 2_000);
    assert_eq!(passed_over(&frame(Opcode::Text, &text)), head);
}

#[test]
fn nothing_is_kept_of_a_message_that_was_passed_over() {
    let mut decoder = decoder();
    let stream = frame(Opcode::Binary, &vec![0; SKIPPED]);
    assert_eq!(read_with(&mut decoder, stream.chunks(999)).0.len(), 1);
    assert!(decoder.is_idle());
}
