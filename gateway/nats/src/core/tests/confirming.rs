//! Sessions that may have gone on elsewhere while the link was lost.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sluice_backbone::{Error, Reply};
use sluice_rooms::Pid;

use super::{
    bus::{Bus, now, pending, poll},
    returning::{claim, session},
};
use crate::core::{RECOVERY, sessions::stored};

const MARKS: &str = "DIRECT.GET.SLUICE_default_chat_SESSIONS";
const LEADER: &str = "STREAM.MSG.GET.SLUICE_default_chat_SESSIONS";
const NOTHING: &str = "NATS/1.0 404 Message Not Found\r\n\r\n";

/// Two gateways, the first of which has stored a session, and has lost its link meanwhile.
fn back(pid: Pid) -> Bus {
    let mut bus = Bus::new(2);
    bus.run_seconds(1);
    let stored = session(pid);
    let _kept = pending(bus.act(0, |core, at, out| core.store(at, &stored, out)));
    bus.answer_to(0, ".sess.00000001.", "", br#"{"stream":"S","seq":7}"#);
    bus.disconnect(0);
    bus.run_seconds(1);
    bus.connect(0);
    bus
}

fn confirm(bus: &mut Bus, pid: Pid) -> Reply<()> {
    bus.act(0, |core, at, out| core.confirm(at, 0, pid.session(), out))
}

fn leader_has(bus: &mut Bus, payload: &[u8]) {
    let found = json!({"message": {"seq": 9, "data": STANDARD.encode(payload)}});
    bus.answer_to(0, LEADER, "", found.to_string().as_bytes());
}

/// How often the first gateway has asked the leader.
fn asked(bus: &Bus) -> usize {
    let sent = bus.sent.iter();
    sent.filter(|(_, subject, _)| subject.contains(LEADER))
        .count()
}

fn moved(bus: &Bus, pid: Pid) -> bool {
    let session = pid.session();
    bus.nodes[0]
        .workers
        .with(|done| done.moved.contains(&session))
}

#[test]
fn what_a_replica_does_not_know_yet_the_leader_does() {
    let pid = Pid::random();
    let mut bus = back(pid);
    bus.answer_to(0, MARKS, NOTHING, b"");
    let mut reply = pending(confirm(&mut bus, pid));
    leader_has(&mut bus, b"{}");
    assert_eq!(poll(&mut reply), Some(Ok(())));
    assert!(moved(&bus, pid), "it is known by then");
}

/// What is stored of a session at the second gateway.
fn elsewhere(pid: Pid, sequence: u64) -> String {
    let session = pid.session();
    format!(
        "NATS/1.0\r\nNats-Subject: sluice.default.chat.sess.00000002.{session}\r\nNats-Sequence: {sequence}\r\n\r\n"
    )
}

/// As [`back`], after so long that the mark is gone.
fn long_after(pid: Pid) -> Bus {
    let mut bus = back(pid);
    bus.disconnect(0);
    bus.run_seconds(75);
    bus.connect(0);
    bus
}

#[test]
fn a_session_that_went_on_elsewhere_stays_there_though_its_mark_is_gone() {
    for (sequence, moves) in [(6, false), (8, true)] {
        let pid = Pid::random();
        let mut bus = long_after(pid);
        bus.answer_to(
            0,
            MARKS,
            &elsewhere(pid, sequence),
            &stored::encode(&session(pid)),
        );
        bus.answer_to(0, MARKS, "NATS/1.0 204 EOB\r\n\r\n", b"");
        assert_eq!(moved(&bus, pid), moves, "it was stored as 7");
    }
}

#[test]
fn nothing_is_stored_where_a_mark_stood_before_it_is_known_who_has_the_session() {
    let pid = Pid::random();
    let mut bus = long_after(pid);
    let mut newer = session(pid);
    newer.rooms.clear();
    let _kept = pending(bus.act(0, |core, at, out| core.store(at, &newer, out)));
    let refused = br#"{"error":{"code":400,"err_code":10071}}"#;
    bus.answer_to(0, ".sess.00000001.", "", refused);
    bus.answer_to(0, LEADER, "", br#"{"error":{"code":404}}"#);
    bus.answer_to(0, MARKS, &elsewhere(pid, 8), &stored::encode(&session(pid)));
    bus.answer_to(0, MARKS, "NATS/1.0 204 EOB\r\n\r\n", b"");
    assert!(moved(&bus, pid));
    let stored = |bus: &Bus| {
        let sent = bus.sent.iter();
        sent.filter(|(_, subject, _)| subject.contains(".sess.00000001."))
            .count()
    };
    let before = stored(&bus);
    bus.run_seconds(2);
    assert_eq!(stored(&bus), before, "it is no more this gateway's");
}

#[test]
fn a_session_whose_entry_is_gone_and_that_nobody_has_is_stored_anew() {
    let pid = Pid::random();
    let mut bus = long_after(pid);
    let _kept = pending(bus.act(0, |core, at, out| core.store(at, &session(pid), out)));
    let refused = br#"{"error":{"code":400,"err_code":10071}}"#;
    bus.answer_to(0, ".sess.00000001.", "", refused);
    bus.answer_to(0, LEADER, "", br#"{"error":{"code":404}}"#);
    bus.answer_to(0, MARKS, NOTHING, b"");
    bus.run_seconds(1);
    bus.answer_to(0, ".sess.00000001.", "", br#"{"stream":"S","seq":12}"#);
    assert!(!moved(&bus, pid));
    assert_eq!(bus.nodes[0].core.unsettled().storing, 0);
}

#[test]
fn a_mark_from_before_a_session_came_back_counts_no_more() {
    for (sequence, moves) in [(6, false), (8, true)] {
        let pid = Pid::random();
        let mut bus = back(pid);
        let mark = format!(
            "NATS/1.0\r\nNats-Subject: sluice.default.chat.sess.00000001.{}\r\nNats-Sequence: {sequence}\r\n\r\n",
            pid.session()
        );
        bus.answer_to(0, MARKS, &mark, b"{}");
        assert_eq!(moved(&bus, pid), moves, "it was stored as 7");
    }
}

#[test]
fn a_session_that_stayed_goes_on_once_the_leader_has_said_so() {
    let pid = Pid::random();
    let mut bus = back(pid);
    let mut reply = pending(confirm(&mut bus, pid));
    // It elects.
    bus.answer_to(0, LEADER, "NATS/1.0 503\r\n\r\n", b"");
    bus.run_seconds(1);
    assert_eq!((poll(&mut reply), asked(&bus)), (None, 2));
    leader_has(&mut bus, &stored::encode(&session(pid)));
    assert_eq!(poll(&mut reply), Some(Ok(())));
    assert!(!moved(&bus, pid));
}

#[test]
fn nobody_is_asked_once_all_marks_are_known_or_without_the_link() {
    let pid = Pid::random();
    let mut bus = back(pid);
    bus.answer_to(0, MARKS, NOTHING, b"");
    bus.run_seconds(3);
    bus.answer_to(0, MARKS, NOTHING, b"");
    assert_eq!(now(confirm(&mut bus, pid)), Ok(()));
    bus.disconnect(0);
    assert_eq!(now(confirm(&mut bus, pid)), Ok(()));
    assert_eq!(asked(&bus), 0);
}

#[test]
fn a_session_that_nobody_can_tell_of_is_not_given_up() {
    let pid = Pid::random();
    let mut bus = back(pid);
    let mut reply = pending(confirm(&mut bus, pid));
    bus.run(RECOVERY + std::time::Duration::from_secs(1));
    assert_eq!(poll(&mut reply), Some(Err(Error::Unavailable)));
    assert_eq!(bus.nodes[0].core.unsettled().claims, 0);
}

/// The gateway that a replica names has the session no more.
#[test]
fn another_gateway_is_given_nothing_before_the_leader_has_said_it() {
    let pid = Pid::random();
    let mut bus = back(pid);
    let _open = pending(bus.act(1, |core, at, out| core.claim(at, 0, claim(pid), out)));
    let found = format!(
        "NATS/1.0\r\nNats-Subject: sluice.default.chat.sess.00000001.{}\r\nNats-Sequence: 7\r\n\r\n",
        pid.session()
    );
    bus.answer_to(1, MARKS, &found, &stored::encode(&session(pid)));
    bus.answer_to(1, MARKS, "NATS/1.0 204 EOB\r\n\r\n", b"");
    let claims = |bus: &Bus| bus.nodes[0].workers.with(|done| done.claims);
    assert_eq!((claims(&bus), asked(&bus)), (0, 1));
    leader_has(&mut bus, b"{}");
    assert_eq!(claims(&bus), 1, "the workers know that it has moved");
    assert!(moved(&bus, pid));
}
