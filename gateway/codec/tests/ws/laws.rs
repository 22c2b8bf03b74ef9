//! Laws of the decoder, over any stream.

use crate::client::{Owned, frame_bits, read_with};
use proptest::{collection::vec, prelude::*};
use sluice_codec::ws::{Decoder, Opcode, ProtocolError, encode_deflated};

type Outcome = (Vec<Owned>, Option<ProtocolError>);

/// A frame of a stream that may or may not be sound.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop_oneof![6 => Just(0x80), 3 => Just(0x00), 1 => Just(0xc0), 1 => any::<u8>()];
    let opcode = prop_oneof![8 => 0_u8..3, 3 => 8_u8..11, 1 => 0_u8..16];
    let payload = prop_oneof![
        4 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..300),
        1 => Just(vec![0x03, 0xe8]),
    ];
    (bits, opcode, payload)
        .prop_map(|(bits, opcode, payload)| frame_bits(bits & 0xf0, opcode, &payload))
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(frames(), 0..12).prop_map(|frames| frames.concat()),
        1 => vec(any::<u8>(), 0..200),
    ]
}

fn whole(stream: &[u8], max: usize) -> Outcome {
    read_with(&mut Decoder::new(max, true), [stream])
}

fn in_pieces(stream: &[u8], max: usize, cuts: &[prop::sample::Index]) -> Outcome {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let mut start = 0;
    let pieces = ends.iter().map(|end| {
        let piece = &stream[start..*end];
        start = *end;
        piece
    });
    read_with(&mut Decoder::new(max, true), pieces)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_outcome_does_not_depend_on_how_the_bytes_arrive(
        stream in streams(),
        max in 0_usize..400,
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        prop_assert_eq!(in_pieces(&stream, max, &cuts), whole(&stream, max));
    }

    #[test]
    fn no_message_exceeds_the_bound(stream in streams(), max in 0_usize..400) {
        for event in whole(&stream, max).0 {
            match event {
                Owned::Text(text) => prop_assert!(text.len() <= max),
                Owned::Binary(data) => prop_assert!(data.len() <= max),
                Owned::Ping(data) | Owned::Pong(data) => prop_assert!(data.len() <= 125),
                Owned::Close(_, reason) => prop_assert!(reason.len() <= 123),
                Owned::Oversized(..) => prop_assert!(false, "it was not to pass over any"),
            }
        }
    }

    #[test]
    fn a_message_in_any_fragments_is_the_message(
        text in "\\PC{0,200}",
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(text.len());
        let (mut stream, mut start) = (Vec::new(), 0);
        for (index, end) in ends.iter().enumerate() {
            let last = if index + 1 == ends.len() { 0x80 } else { 0 };
            let opcode = u8::from(index == 0);
            stream.extend(frame_bits(last, opcode, &text.as_bytes()[start..*end]));
            start = *end;
        }
        prop_assert_eq!(whole(&stream, 1000), (vec![Owned::Text(text)], None));
    }

    #[test]
    fn what_the_server_packs_is_unpacked(words in vec("[a-e]{1,8}|\\PC{0,3}", 0..400)) {
        let text = words.concat();
        let sent = encode_deflated(Opcode::Text, text.as_bytes());
        let start = if sent[1] == 126 { 4 } else { 2 };
        let stream = frame_bits(sent[0] & 0xf0, 1, &sent[start..]);
        prop_assert_eq!(whole(&stream, text.len()), (vec![Owned::Text(text)], None));
    }
}
