//! The frames of a tunnel as 0.1.0 has them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use bytes::Bytes;
use sluice_codec::peer::{Ask, Marks, Tell};

const TUNNEL: u64 = 0x0102_0304_0506_0708;

fn sample(name: &str) -> Bytes {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract/samples/0.1.0");
    std::fs::read(samples.join(name)).unwrap().into()
}

#[test]
fn frames_of_a_tunnel_are_read_and_written_as_ever() {
    let marks = Marks {
        received: 300,
        written: 200,
    };
    let data = Tell::Data {
        tunnel: TUNNEL,
        offset: 100,
        marks,
        bytes: Bytes::from_static(b"hi"),
    };
    let (ack, missing) = (
        Tell::Ack {
            tunnel: TUNNEL,
            marks,
        },
        Tell::Missing {
            tunnel: TUNNEL,
            marks,
        },
    );
    let fin = Tell::Fin {
        tunnel: TUNNEL,
        offset: 102,
    };
    for (name, frame) in [
        ("tunnel-data.bin", data),
        ("tunnel-ack.bin", ack),
        ("tunnel-missing.bin", missing),
        ("tunnel-fin.bin", fin),
        ("tunnel-leave.bin", Tell::Leave { tunnel: TUNNEL }),
        ("tunnel-reset.bin", Tell::Reset { tunnel: TUNNEL }),
    ] {
        let bytes = sample(name);
        assert_eq!(frame.encode(), bytes, "{name}");
        assert_eq!(Tell::decode(bytes), Ok(frame), "{name}");
    }
}

#[test]
fn the_question_for_a_tunnel_is_read_and_written_as_ever() {
    let probe = Ask::Probe {
        sid: [7; 21],
        tunnel: TUNNEL,
        deflate: true,
    };
    let bytes = sample("tunnel-probe.bin");
    assert_eq!(probe.encode(), bytes);
    assert_eq!(Ask::decode(bytes), Ok(probe));
}
