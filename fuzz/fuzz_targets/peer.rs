//! Any bytes from another gateway are a frame or an error, and a frame is written in the bytes it
//! was read from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::peer::{Answer, Ask, CALLS, TELLS, Tell};

fuzz_target!(|frame: Vec<u8>| {
    let frame = bytes::Bytes::from(frame);
    if let Ok(ask) = Ask::decode(frame.clone()) {
        assert!(CALLS.contains(&ask.kind()));
        assert_eq!(ask.encode(), frame);
    }
    if let Ok(answer) = Answer::decode(frame.clone()) {
        assert_eq!(answer.encode(), frame);
    }
    if let Ok(tell) = Tell::decode(frame.clone()) {
        assert!(TELLS.contains(&tell.kind()));
        assert_eq!(tell.encode(), frame);
    }
});
