//! However a NATS server's bytes arrive, the decoder makes the same of them, and asks for no more
//! than its bound allows.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use sluice_nats::link::protocol::{Decoder, MAX_LINE, Operation, ProtocolError};

/// What a server may add to a message of the largest size.
const ADDED: usize = 64 * 1024;

fuzz_target!(|input: (u16, Vec<u8>, &[u8])| {
    let (max, sizes, stream) = input;
    let max = usize::from(max);
    let whole = outcome(max, [stream]);
    let pieces = outcome(max, pieces(stream, &sizes));
    assert_eq!(pieces, whole);
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
    max: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<String>, Option<ProtocolError>) {
    let (mut decoder, mut input) = (Decoder::new(max), BytesMut::new());
    let mut operations = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(operation)) => {
                    look(&operation);
                    operations.push(format!("{operation:?}"));
                }
                Ok(None) => break,
                Err(error) => return (operations, Some(error)),
            }
        }
        assert!(decoder.needed() <= MAX_LINE + max + ADDED + 4);
    }
    (operations, None)
}

/// Reads everything that a message can be asked for.
fn look(operation: &Operation) {
    if let Operation::Message(_, packet) = operation {
        let _ = (packet.subject(), packet.reply(), packet.headers.status());
        let _ = packet.headers.number("Nats-Sequence");
    }
}
