//! RFC 6455, sections 5.5.1 and 7.4: close frames.

use crate::client::{Owned, events, frame, read_by_bytes, refusal};
use sluice_codec::ws::{Opcode, close};

fn closing(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(Opcode::Close, &[&code.to_be_bytes()[..], reason].concat())
}

#[test]
fn an_empty_close_has_no_code() {
    assert_eq!(
        events(&frame(Opcode::Close, b"")),
        [Owned::Close(None, String::new())]
    );
}

#[test]
fn a_code_and_a_reason_are_read() {
    assert_eq!(
        events(&closing(1000, b"")),
        [Owned::Close(Some(1000), String::new())]
    );
    let expected = Owned::Close(Some(4001), "für heute genug".to_owned());
    let stream = closing(4001, "für heute genug".as_bytes());
    assert_eq!(events(&stream), std::slice::from_ref(&expected));
    assert_eq!(read_by_bytes(&stream).0, [expected]);
}

#[test]
fn a_reason_of_123_bytes_is_read() {
    let reason = "r".repeat(123);
    assert_eq!(
        events(&closing(1001, reason.as_bytes())),
        [Owned::Close(Some(1001), reason)]
    );
}

#[test]
fn half_a_code_is_refused() {
    assert_eq!(refusal(&frame(Opcode::Close, &[3])).0, 1002);
}

#[test]
fn a_code_is_taken_exactly_where_it_may_be_sent() {
    for code in 0..=u16::MAX {
        let may = match code {
            1004..=1006 | 1015 => false,
            1000..=1014 | 3000..=4999 => true,
            _ => false,
        };
        let (read, error) = crate::client::read(&closing(code, b""));
        assert_eq!(read.len() == 1 && error.is_none(), may, "{code}");
        if let Some(error) = error {
            assert_eq!(error.code, 1002, "{code}");
        }
    }
}

#[test]
fn a_reason_that_is_not_utf8_is_refused() {
    for reason in [&[0xff][..], &[0xce], &[b'o', b'k', 0xed, 0xa0, 0x80]] {
        assert_eq!(refusal(&closing(1000, reason)).0, 1007);
    }
}

// Section 5.5.1, the server's own.

#[test]
fn a_close_frame_carries_code_and_reason() {
    assert_eq!(&close(1000, "bye")[..], b"\x88\x05\x03\xe8bye");
    assert_eq!(&close(1012, "")[..], b"\x88\x02\x03\xf4");
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let ascii = close(1000, &"x".repeat(200));
    assert_eq!((ascii.len(), ascii[1]), (127, 125));
    // 61 two-byte characters fit into 123 bytes, and half a character is left.
    let accents = close(1000, &"é".repeat(100));
    assert_eq!((accents.len(), accents[1]), (126, 124));
    assert!(std::str::from_utf8(&accents[4..]).is_ok());
}
