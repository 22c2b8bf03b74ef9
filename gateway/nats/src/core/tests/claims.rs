use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::json;
use sluice_backbone::{Claim, Record, Reply, Stored};
use sluice_rooms::{Pid, Reading, RoomKey};

use super::bus::{Bus, pending, poll};
use crate::core::{Core, sessions::stored};

/// Two gateways, the second of which gives up no session.
fn deaf() -> Bus {
    let mut bus = Bus::new(2);
    bus.run_seconds(1);
    bus.loss = Box::new(|subject, _, _| subject.contains(".claim"));
    bus
}

fn claim(bus: &mut Bus, pid: Pid) -> Reply<Option<Record>> {
    claim_from(bus, pid, None)
}

fn claim_from(bus: &mut Bus, pid: Pid, read: Option<Reading>) -> Reply<Option<Record>> {
    let claim = Claim {
        pid,
        user: "ann".into(),
        namespace: "/".into(),
        read,
    };
    bus.act(0, |core, at, out| core.claim(at, 0, claim, out))
}

/// What is stored of it.
fn entry(pid: Pid) -> Bytes {
    stored::encode(&Stored {
        session: pid.session(),
        user: Arc::from("ann"),
        namespace: Arc::from("/"),
        rooms: vec![(RoomKey::new("/", "r"), 2)],
        came: None,
    })
}

/// The store says that the second gateway has it.
fn find(bus: &mut Bus, pid: Pid) {
    let (session, stored) = (pid.session(), entry(pid));
    let found = format!(
        "NATS/1.0\r\nNats-Subject: sluice.default.chat.sess.00000002.{session}\r\nNats-Sequence: 7\r\n\r\n"
    );
    bus.answer(0, &found, &stored);
    bus.answer(0, "NATS/1.0 204 EOB\r\n\r\n", b"");
}

/// Where the first gateway sent something last that is no heartbeat.
fn last_asked(bus: &Bus) -> &str {
    let asked = bus.sent.iter().rev();
    let mut asked = asked.filter(|(from, subject, _)| {
        *from == 0 && (subject.starts_with("$JS") || subject.contains(".claim"))
    });
    asked.next().map_or("", |(_, subject, _)| subject)
}

#[test]
fn a_claim_does_not_wait_for_a_gateway_that_says_goodbye() {
    let mut bus = deaf();
    let pid = Pid::random();
    let _open = pending(claim(&mut bus, pid));
    find(&mut bus, pid);
    assert_eq!(last_asked(&bus), "sluice.default.chat.gw.00000002.claim");
    bus.act(1, Core::bye);
    bus.tick();
    assert!(last_asked(&bus).starts_with("$JS.API.STREAM.MSG.GET."));
}

#[test]
fn a_gateway_that_has_said_goodbye_is_not_asked_for_its_sessions() {
    let mut bus = deaf();
    bus.act(1, Core::bye);
    bus.tick();
    let pid = Pid::random();
    let _open = pending(claim(&mut bus, pid));
    find(&mut bus, pid);
    assert!(last_asked(&bus).starts_with("$JS.API.STREAM.MSG.GET."));
}

/// More rooms are behind than it names.
fn vague() -> Option<Reading> {
    Reading::parse("0000000000000001-9,*4")
}

#[test]
fn a_vague_position_is_refused_where_only_the_store_has_the_session() {
    let mut bus = deaf();
    bus.act(1, Core::bye);
    bus.tick();
    let pid = Pid::random();
    let mut open = pending(claim_from(&mut bus, pid, vague()));
    find(&mut bus, pid);
    let entry = json!({"message": {"seq": 7, "data": STANDARD.encode(entry(pid))}});
    bus.answer(0, "", entry.to_string().as_bytes());
    assert_eq!(poll(&mut open), Some(Ok(None)));
}

#[test]
fn a_vague_position_goes_on_where_the_gateway_lives_that_has_the_session() {
    let mut bus = deaf();
    let pid = Pid::random();
    let mut open = pending(claim_from(&mut bus, pid, vague()));
    find(&mut bus, pid);
    bus.answer(0, "", br#"{"rooms":[["r",5]]}"#);
    bus.answer(0, "", br#"{"stream":"S","seq":8}"#);
    let record = poll(&mut open).unwrap().unwrap().unwrap();
    assert_eq!(record.rooms, [(RoomKey::new("/", "r"), 5)]);
}
