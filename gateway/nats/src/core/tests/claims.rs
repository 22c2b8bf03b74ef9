use std::sync::Arc;

use sluice_backbone::{Claim, Record, Reply, Stored};
use sluice_rooms::Pid;

use super::bus::{Bus, pending};
use crate::core::{Core, sessions::stored};

/// Two gateways, the second of which gives up no session.
fn deaf() -> Bus {
    let mut bus = Bus::new(2);
    bus.run_seconds(1);
    bus.loss = Box::new(|subject, _, _| subject.contains(".claim"));
    bus
}

fn claim(bus: &mut Bus, pid: Pid) -> Reply<Option<Record>> {
    let claim = Claim {
        pid,
        user: "ann".into(),
        namespace: "/".into(),
        read: None,
    };
    bus.act(0, |core, at, out| core.claim(at, 0, claim, out))
}

/// The store says that the second gateway has it.
fn find(bus: &mut Bus, pid: Pid) {
    let session = pid.session();
    let stored = stored::encode(&Stored {
        session,
        user: Arc::from("ann"),
        namespace: Arc::from("/"),
        rooms: Vec::new(),
        came: None,
    });
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
