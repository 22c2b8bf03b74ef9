//! What 0.1.0 wrote is read for ever, and is written in the same bytes while its forms are.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use sluice_contract::{
    Call, Decoded, Draining, EndMark, Envelope, GatewayNumber, GatewayState, Heartbeat, Names,
    PolicyStatus, Revocation, SessionEntry, SessionRecord, Status, WireVersion, place,
};

fn sample(name: &str) -> Vec<u8> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/0.1.0");
    std::fs::read(samples.join(name)).unwrap()
}

const GATEWAY: GatewayNumber = GatewayNumber(10);
const SESSION: &str = "AAECAwQFBgcICQoL";

#[test]
fn envelopes_are_read_and_written_as_ever() {
    let full = Envelope {
        event: "message".into(),
        id: "7f9c0e1a".into(),
        time: 1_795_452_470_316,
        from: Some("ann".into()),
        except: Some(SESSION.into()),
        gateway: GATEWAY.0,
        data: r#"{"text":"žluťoučký kůň","n":1}"#,
        attachments: vec![&[0, 1, 2, 255], b"\n"],
    };
    let least = Envelope {
        event: "e".into(),
        id: "i".into(),
        from: None,
        except: None,
        data: "null",
        attachments: Vec::new(),
        ..full.clone()
    };
    for (name, envelope) in [("envelope.bin", full), ("envelope-least.bin", least)] {
        let bytes = sample(name);
        assert_eq!(Envelope::decode(&bytes), Decoded::Known(envelope.clone()));
        assert_eq!(envelope.encode(), bytes, "{name}");
    }
}

fn heartbeat(hello: bool, bye: bool) -> Heartbeat {
    Heartbeat {
        gateway: GATEWAY,
        name: "chat-0".into(),
        hello,
        bye,
        reads: WireVersion::FIRST,
        status: Status {
            connections: 12,
            policy: PolicyStatus {
                revision: 3,
                digest: "0123456789abcdef".into(),
                refused: None,
            },
            ..Status::default()
        },
    }
}

#[test]
fn heartbeats_are_read_and_written_with_what_the_gateway_reads_besides() {
    let mut last = heartbeat(false, true);
    last.status.state = GatewayState::Draining;
    last.status.connections = 5;
    last.status.policy.refused = Some("revision 4: no".into());
    last.status.draining = Some(Draining {
        remaining: 5,
        rate: Some(2.5),
    });
    for (name, beat) in [
        ("heartbeat.json", heartbeat(false, false)),
        ("heartbeat-hello.json", heartbeat(true, false)),
        ("heartbeat-bye.json", last),
    ] {
        let bytes = sample(name);
        assert_eq!(Heartbeat::decode(&bytes), Decoded::Known(beat.clone()));
        let written = String::from_utf8(beat.encode()).unwrap();
        let as_ever = written.replacen(r#""reads":1,"#, "", 1);
        assert_eq!(as_ever.as_bytes(), bytes, "{name}");
    }
}

#[test]
fn stored_sessions_are_read_and_written_as_ever() {
    let full = SessionRecord {
        user: "ann".into(),
        namespace: "/".into(),
        rooms: vec![("team.red".into(), 7), ("žluťoučký".into(), 18)],
        caught_up: Vec::new(),
        came: Some("96c43f945348f444-18,b85cbdfd493eac99:7".into()),
        wire: WireVersion::FIRST,
    };
    let least = SessionRecord {
        came: None,
        ..full.clone()
    };
    for (name, record) in [("session.json", full), ("session-least.json", least)] {
        let bytes = sample(name);
        let read = SessionEntry::decode(&bytes);
        assert_eq!(read, Decoded::Known(SessionEntry::Session(record.clone())));
        assert_eq!(record.encode(), bytes, "{name}");
    }
}

#[test]
fn end_marks_are_read_and_written_as_ever() {
    for (name, mark) in [
        ("end-mark.json", EndMark::default()),
        ("end-mark-claimed.json", EndMark::of_claim(GATEWAY, 7)),
    ] {
        let bytes = sample(name);
        assert_eq!(mark.encode(), bytes, "{name}");
        let read = SessionEntry::decode(&bytes);
        assert_eq!(read, Decoded::Known(SessionEntry::Ended(mark)));
    }
}

#[test]
fn revocations_are_read_and_written_as_ever() {
    let until = 1_795_456_070;
    for (name, key, revocation) in [
        (
            "revocation-token.json",
            "revoked.token.7f9c0e1a",
            Revocation::Token {
                id: "7f9c0e1a".into(),
                until,
            },
        ),
        (
            "revocation-user.json",
            "revoked.user.ann",
            Revocation::User {
                id: "ann".into(),
                issued: 1_795_452_470,
                until,
            },
        ),
        (
            "revocation-session.json",
            "revoked.session.AAECAwQFBgcICQoL",
            Revocation::Session {
                id: SESSION.into(),
                until,
            },
        ),
    ] {
        let bytes = sample(name);
        assert_eq!(
            Revocation::decode(&bytes),
            Decoded::Known(revocation.clone())
        );
        assert_eq!(revocation.encode(), bytes, "{name}");
        assert_eq!(revocation.key(), key);
    }
}

#[test]
fn names_are_as_ever() {
    let names = Names::new("default", "chat.2");
    let room = place("/", "team.red");
    let written = [
        names.rooms_stream(),
        names.sessions_stream(),
        names.bucket(),
        names.stored(&room),
        names.republished(&room),
        names.live(&place("/x", "žluť")),
        names.presence(&room),
        names.call(GATEWAY, Call::Claim),
        names.session(GATEWAY, SESSION),
        names.owner(GATEWAY),
        names.event("/", "say"),
        names.connect("/"),
        names.disconnected("/"),
        names.operation("publish"),
        names.heartbeats(),
        names.presence_of_all(),
        names.users(),
        names.commands(),
    ];
    let names = String::from_utf8(sample("names.txt")).unwrap();
    assert_eq!(written.to_vec(), names.lines().collect::<Vec<_>>());
}
