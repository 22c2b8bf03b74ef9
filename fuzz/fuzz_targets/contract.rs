//! Whatever other gateways write, reading it ends well, and what is read is written in a form that
//! reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_contract::{
    Decoded, Envelope, Heartbeat, Names, Revocation, SessionEntry, at_place, place,
};

fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    match kind % 5 {
        0 => subject(bytes),
        1 => envelope(bytes),
        2 => session(bytes),
        3 => heartbeat(bytes),
        _ => revocation(bytes),
    }
});

fn subject(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let names = Names::new("default", "chat");
    let _ = names.parse(text);
    let _ = names.parse(&format!("{}.{text}", names.prefix()));
    if let Some((namespace, room)) = at_place(text) {
        assert_eq!(&*place(&namespace, &room), text);
    }
}

fn envelope(bytes: &[u8]) {
    if let Decoded::Known(envelope) = Envelope::decode(bytes) {
        let again = envelope.clone().encode();
        assert_eq!(Envelope::decode(&again), Decoded::Known(envelope));
    }
}

fn session(bytes: &[u8]) {
    match SessionEntry::decode(bytes) {
        Decoded::Known(SessionEntry::Session(record)) => {
            let again = record.encode();
            let read = SessionEntry::decode(&again);
            assert_eq!(read, Decoded::Known(SessionEntry::Session(record)));
        }
        Decoded::Known(SessionEntry::Ended(mark)) => {
            let again = mark.encode();
            let read = SessionEntry::decode(&again);
            assert_eq!(read, Decoded::Known(SessionEntry::Ended(mark)));
        }
        Decoded::Newer | Decoded::Garbage => {}
    }
}

fn heartbeat(bytes: &[u8]) {
    if let Decoded::Known(beat) = Heartbeat::decode(bytes) {
        // A rate may differ in its last digit.
        assert!(Heartbeat::decode(&beat.encode()).is_known());
    }
}

fn revocation(bytes: &[u8]) {
    if let Decoded::Known(revocation) = Revocation::decode(bytes) {
        let again = Revocation::decode(&revocation.encode());
        assert_eq!(again, Decoded::Known(revocation));
    }
}
