//! However a client's bytes arrive, the decoder makes the same of them, and never more than its
//! bound allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::ws::{Decoder, Event, ProtocolError};

fuzz_target!(|input: (u16, bool, Vec<u8>, &[u8])| {
    let (max, deflate, sizes, stream) = input;
    let max = usize::from(max);
    for skipped in [0, 2 * max] {
        let decoder = || Decoder::new(max, deflate).skipping(skipped);
        let whole = outcome(decoder(), max, [stream]);
        let pieces = outcome(decoder(), max, pieces(stream, &sizes));
        assert_eq!(pieces, whole);
    }
});

/// Pieces of `stream` of the given sizes, then the rest.
fn pieces<'a>(mut stream: &'a [u8], sizes: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes {
        let (piece, rest) = stream.split_at(stream.len().min(usize::from(*size)));
        pieces.push(piece);
        stream = rest;
    }
    pieces.push(stream);
    pieces
}

fn outcome<'a>(
    mut decoder: Decoder,
    max: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<String>, Option<ProtocolError>) {
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = piece.as_mut_slice();
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => {
                    assert!(size(&event) <= max.max(1024));
                    events.push(format!("{event:?}"));
                }
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
        assert!(input.is_empty());
    }
    (events, None)
}

fn size(event: &Event<'_>) -> usize {
    match event {
        Event::Text(text) => text.len(),
        Event::Binary(data) => data.len(),
        Event::Oversized(message) => message.head.len(),
        Event::Ping(_) | Event::Pong(_) | Event::Close { .. } => 0,
    }
}
