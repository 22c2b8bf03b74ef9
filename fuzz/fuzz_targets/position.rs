//! Whatever a client sends as the place where it stopped reading, it is a place or none, and one
//! that is written again is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::sio::text;
use sluice_rooms::{Pid, Position, Reading};

fuzz_target!(|input: &str| {
    let _ = Pid::parse(input);
    if let Some(position) = Position::parse(input) {
        assert_eq!(Position::parse(&position.to_string()), Some(position));
    }
    if let Some(reading) = Reading::parse(input) {
        let again = reading.to_string();
        let read = Reading::parse(&again).map(|reading| reading.to_string());
        assert_eq!(read, Some(again));
    }
    // A name in JSON, as it is read where it need not be Unicode.
    if let Ok(name) = serde_json::from_str::<String>(input) {
        assert_eq!(text(input.trim()).as_deref(), Some(name.as_str()));
    }
});
