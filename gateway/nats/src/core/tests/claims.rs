use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::json;
use sluice_backbone::{Claim, Error, Record, Reply};
use sluice_rooms::{Pid, Reading, RoomKey};

use super::{
    bus::{Bus, pending, poll},
    returning,
};
use crate::core::{Core, RECOVERY, sessions::stored};

/// Where is asked who has a session, and what is kept of it.
const FIND: &str = "DIRECT.GET.SLUICE_default_chat_SESSIONS";
const READ: &str = "STREAM.MSG.GET.SLUICE_default_chat_SESSIONS";

const NO_LEADER: &str = "NATS/1.0 503\r\n\r\n";
const UNEXPECTED: &[u8] = br#"{"error":{"code":400,"err_code":10071},"stream":"S","seq":0}"#;
const STORED: &[u8] = br#"{"stream":"S","seq":8}"#;

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
        read,
        ..returning::claim(pid)
    };
    bus.act(0, |core, at, out| core.claim(at, 0, claim, out))
}

/// What is stored of it.
fn entry(pid: Pid) -> Bytes {
    stored::encode(&returning::session(pid))
}

/// The store says that the second gateway has it.
fn find(bus: &mut Bus, pid: Pid) {
    let (session, stored) = (pid.session(), entry(pid));
    let found = format!(
        "NATS/1.0\r\nNats-Subject: sluice.default.chat.sess.00000002.{session}\r\nNats-Sequence: 7\r\n\r\n"
    );
    bus.answer_to(0, FIND, &found, &stored);
    bus.answer_to(0, FIND, "NATS/1.0 204 EOB\r\n\r\n", b"");
}

/// The leader says what the second gateway has stored of it.
fn read(bus: &mut Bus, pid: Pid) {
    let entry = json!({"message": {"seq": 7, "data": STANDARD.encode(entry(pid))}});
    bus.answer_to(0, READ, "", entry.to_string().as_bytes());
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
    read(&mut bus, pid);
    assert_eq!(poll(&mut open), Some(Ok(None)));
}

#[test]
fn a_vague_position_goes_on_where_the_gateway_lives_that_has_the_session() {
    let mut bus = deaf();
    let pid = Pid::random();
    let mut open = pending(claim_from(&mut bus, pid, vague()));
    find(&mut bus, pid);
    bus.answer(0, "", br#"{"rooms":[["r",5]]}"#);
    bus.answer(0, "", STORED);
    let record = poll(&mut open).unwrap().unwrap().unwrap();
    assert_eq!(record.rooms, [(RoomKey::new("/", "r"), 5)]);
}

/// Waits until a question is asked once more.
fn asks_again(bus: &mut Bus, word: &str) {
    let count = |bus: &Bus| {
        let asked = bus.sent.iter();
        asked
            .filter(|(_, subject, _)| subject.contains(word))
            .count()
    };
    let (before, until) = (count(bus), bus.at.now + RECOVERY);
    while count(bus) == before {
        assert!(bus.at.now < until, "it should ask again");
        bus.tick();
    }
}

#[test]
fn what_the_servers_do_not_answer_while_they_elect_is_asked_again() {
    let mut bus = deaf();
    bus.act(1, Core::bye);
    bus.tick();
    for (number, silent) in [(1, false), (2, true)] {
        let pid = Pid::random();
        let session = pid.session();
        let (own, old) = (format!("00000001.{session}"), format!("00000002.{session}"));
        let mut open = pending(claim(&mut bus, pid));
        let mut fail = |bus: &mut Bus, word: &str| {
            if !silent {
                bus.answer_to(0, word, NO_LEADER, b"");
            }
            asks_again(bus, word);
            assert_eq!(poll(&mut open), None, "it should still be claimed");
        };
        fail(&mut bus, FIND);
        find(&mut bus, pid);
        fail(&mut bus, READ);
        read(&mut bus, pid);
        fail(&mut bus, &own);
        bus.answer_to(0, &own, "", STORED);
        fail(&mut bus, &old);
        // The answer to the first try was lost.
        bus.answer_to(0, &old, "", UNEXPECTED);
        let mark = format!("{{\"by\":\"00000001.{number}\"}}");
        let mark = json!({"message": {"seq": 9, "data": STANDARD.encode(mark)}});
        bus.answer_to(0, READ, "", mark.to_string().as_bytes());
        let record = poll(&mut open).unwrap().unwrap().unwrap();
        assert_eq!(record.rooms, [(RoomKey::new("/", "r"), 2)]);
    }
}

#[test]
fn a_claim_that_is_made_while_the_link_is_away_waits_for_it() {
    let mut bus = deaf();
    bus.act(1, Core::bye);
    bus.tick();
    let pid = Pid::random();
    bus.disconnect(0);
    let mut open = pending(claim(&mut bus, pid));
    bus.run_seconds(3);
    assert_eq!(poll(&mut open), None, "it should still be claimed");
    bus.connect(0);
    asks_again(&mut bus, FIND);
    find(&mut bus, pid);
    assert!(last_asked(&bus).starts_with("$JS.API.STREAM.MSG.GET."));
}

#[test]
fn a_claim_is_refused_as_unavailable_when_no_leader_is_elected_in_time() {
    let mut bus = deaf();
    let mut open = pending(claim(&mut bus, Pid::random()));
    bus.run(RECOVERY.mul_f32(0.9));
    assert_eq!(poll(&mut open), None);
    bus.run_seconds(2);
    assert_eq!(poll(&mut open), Some(Err(Error::Unavailable)));
    assert_eq!(bus.nodes[0].core.unsettled().claims, 0);
}

#[test]
fn a_session_that_somebody_else_took_over_meanwhile_is_theirs() {
    let mut bus = deaf();
    bus.act(1, Core::bye);
    bus.tick();
    let pid = Pid::random();
    let mut open = pending(claim(&mut bus, pid));
    find(&mut bus, pid);
    read(&mut bus, pid);
    bus.answer(0, "", STORED);
    bus.answer(0, "", UNEXPECTED);
    let mark = json!({"message": {"seq": 9, "data": STANDARD.encode("{\"by\":\"00000003.1\"}")}});
    bus.answer_to(0, READ, "", mark.to_string().as_bytes());
    assert_eq!(poll(&mut open), Some(Ok(None)));
}

#[test]
fn a_client_that_claims_again_before_it_was_answered_gets_its_session() {
    let mut bus = deaf();
    let pid = Pid::random();
    let mut first = pending(claim(&mut bus, pid));
    find(&mut bus, pid);
    let mut second = pending(claim(&mut bus, pid));
    assert_eq!(poll(&mut first), Some(Ok(None)), "nobody waits for it");
    bus.answer(0, "", br#"{"rooms":[["r",5]]}"#);
    bus.answer(0, "", STORED);
    assert!(matches!(poll(&mut second), Some(Ok(Some(_)))));
    assert_eq!(bus.nodes[0].core.unsettled().claims, 0);
    let again = claim(&mut bus, pid);
    assert!(poll(&mut pending(again)).is_none(), "that is a new one");
}

#[test]
fn who_is_somebody_else_does_not_take_the_place_of_a_claim() {
    let mut bus = deaf();
    let pid = Pid::random();
    let mut first = pending(claim(&mut bus, pid));
    let other = Claim {
        user: "bob".into(),
        ..returning::claim(pid)
    };
    let _other = pending(bus.act(0, |core, at, out| core.claim(at, 0, other, out)));
    assert_eq!(poll(&mut first), None);
}
