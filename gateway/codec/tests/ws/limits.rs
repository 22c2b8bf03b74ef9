//! RFC 6455, section 10.4 and code 1009: bounds hold before anything is kept.

use crate::client::{Owned, fragment, frame, read_with};
use sluice_codec::ws::{Decoder, Opcode, ProtocolError};

fn read(max: usize, stream: &[u8]) -> (Vec<Owned>, Option<ProtocolError>) {
    read_with(&mut Decoder::new(max, false), [stream])
}

fn code(error: Option<ProtocolError>) -> Option<u16> {
    error.map(|error| error.code)
}

#[test]
fn a_message_of_exactly_the_bound_is_taken() {
    assert_eq!(
        read(5, &frame(Opcode::Text, b"Hello")).0,
        [Owned::Text("Hello".to_owned())]
    );
    assert_eq!(code(read(4, &frame(Opcode::Text, b"Hello")).1), Some(1009));
}

#[test]
fn a_header_is_enough_to_refuse_a_large_message() {
    let stream = frame(Opcode::Binary, &[0; 300]);
    assert_eq!(code(read(299, &stream[..8]).1), Some(1009));
    let huge = [&[0x82, 0xff, 0x7f][..], &[0xff; 7], &[1, 2, 3, 4]].concat();
    assert_eq!(code(read(usize::MAX >> 2, &huge).1), Some(1009));
}

#[test]
fn fragments_are_summed() {
    let stream = [
        fragment(Opcode::Binary, &[0; 4]),
        fragment(Opcode::Continuation, &[0; 4]),
        frame(Opcode::Continuation, &[0; 4]),
    ]
    .concat();
    assert_eq!(read(12, &stream).0.len(), 1);
    assert_eq!(code(read(11, &stream).1), Some(1009));
    // The last fragment's header tells, its payload is not needed.
    assert_eq!(code(read(11, &stream[..stream.len() - 4]).1), Some(1009));
    assert_eq!(read(11, &stream[..stream.len() - 5]), (vec![], None));
}

#[test]
fn the_bound_is_for_each_message_alone() {
    let stream = frame(Opcode::Binary, &[0; 10]).repeat(20);
    assert_eq!(read(10, &stream).0.len(), 20);
}

#[test]
fn control_frames_do_not_count() {
    let stream = [
        fragment(Opcode::Text, b"a"),
        frame(Opcode::Ping, &[0; 125]),
        frame(Opcode::Continuation, b"b"),
    ]
    .concat();
    assert_eq!(read(2, &stream).0.len(), 2);
}

#[test]
fn a_bound_of_nothing_takes_the_empty_message() {
    assert_eq!(read(0, &frame(Opcode::Text, b"")).0.len(), 1);
    assert_eq!(code(read(0, &frame(Opcode::Text, b"a")).1), Some(1009));
}

#[test]
fn the_bound_can_change_between_messages() {
    let mut decoder = Decoder::new(1, false);
    decoder.set_max_message(5);
    let hello = frame(Opcode::Text, b"Hello");
    assert_eq!(read_with(&mut decoder, [&hello[..]]).0.len(), 1);
    decoder.set_max_message(4);
    assert_eq!(code(read_with(&mut decoder, [&hello[..]]).1), Some(1009));
}

#[test]
fn a_decoder_is_small_and_idle_between_messages_however_they_arrive() {
    assert!(size_of::<Decoder>() <= 48);
    let mut decoder = Decoder::new(1000, true);
    assert!(decoder.is_idle());
    let stream = [
        frame(Opcode::Text, b"Hello"),
        frame(Opcode::Ping, b"?"),
        fragment(Opcode::Binary, b"1"),
        frame(Opcode::Pong, b"!"),
        frame(Opcode::Continuation, b"2"),
    ]
    .concat();
    for size in 1..=stream.len() {
        let (events, error) = read_with(&mut decoder, stream.chunks(size));
        assert_eq!((events.len(), error), (4, None));
        assert!(decoder.is_idle(), "pieces of {size}");
    }
}

#[test]
fn a_decoder_is_not_idle_while_something_is_partial() {
    let stream = frame(Opcode::Text, b"Hello");
    for cut in 1..stream.len() {
        let mut decoder = Decoder::new(1000, false);
        let (events, _) = read_with(&mut decoder, [&stream[..cut]]);
        assert!(events.is_empty() && !decoder.is_idle(), "cut at {cut}");
    }
    let mut decoder = Decoder::new(1000, false);
    read_with(&mut decoder, [&fragment(Opcode::Text, b"")[..]]);
    assert!(!decoder.is_idle());
}
