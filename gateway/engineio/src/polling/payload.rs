//! The body that answers a poll.

use bytes::Bytes;
use sluice_codec::eio;

/// Joins what WebSocket frames carry, and one packet more where there is one.
pub(super) fn payload(frames: &[Bytes], last: &[u8]) -> Bytes {
    let mut payload = Vec::new();
    for frame in frames {
        separate(&mut payload);
        append(&mut payload, frame);
    }
    if !last.is_empty() {
        separate(&mut payload);
        payload.extend_from_slice(last);
    }
    payload.into()
}

fn separate(payload: &mut Vec<u8>) {
    if !payload.is_empty() {
        payload.push(eio::SEPARATOR);
    }
}

/// Appends what an unmasked WebSocket frame carries (RFC 6455, section 5.2) as a packet of a
/// payload: text as it is, binary in base64 behind a `b`.
fn append(payload: &mut Vec<u8>, frame: &[u8]) {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    let body = frame.get(header..).unwrap_or_default();
    if frame.first().is_some_and(|b| b & 0x0f == 2) {
        eio::encode_binary(body, payload);
    } else {
        payload.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    use sluice_net::SharedFrame;

    use super::{
        super::{CLOSE, NOOP},
        *,
    };

    #[test]
    fn a_payload_joins_text_and_binary_packets() {
        let frames = [
            SharedFrame::text("4hello"),
            SharedFrame::binary(&[1, 2, 3, 4]),
        ];
        let frames = frames.map(|frame| frame.plain().clone());
        assert_eq!(payload(&frames, b""), &b"4hello\x1ebAQIDBA=="[..]);
        assert_eq!(payload(&frames, CLOSE), &b"4hello\x1ebAQIDBA==\x1e1"[..]);
        assert_eq!(payload(&[], NOOP), &b"6"[..]);
    }

    #[test]
    fn a_packet_of_any_length_is_found_in_its_frame() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(len);
            assert_eq!(
                payload(&[SharedFrame::text(&text).plain().clone()], b""),
                text.as_bytes()
            );
        }
    }
}
