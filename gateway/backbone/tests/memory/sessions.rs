//! Commands, questions and claims, which the workers answer.

use std::sync::Arc;

use sluice_backbone::{
    Backbone, BackboneEvent, Claim, Command, Error, Record, SessionInfo, Target,
};
use sluice_rooms::{Pid, SessionId};

use crate::support::{Gateway, later, now, room, stranger};

fn claim() -> Claim {
    Claim {
        pid: Pid::random(),
        user: "ann".into(),
        namespace: "/".into(),
        read: None,
    }
}

fn info(session: SessionId) -> SessionInfo {
    SessionInfo {
        session,
        user: "ann".into(),
        namespace: "/".into(),
        protocol: "websocket",
        connected: true,
        rooms: Vec::new(),
    }
}

#[test]
fn a_command_reaches_every_worker_and_counts_what_they_did() {
    let gateway = Gateway::new(3);
    let reply = gateway
        .memory
        .command(Command::Leave(Target::Everyone, "a".into()));
    for worker in 0..3 {
        for event in gateway.take(worker) {
            let BackboneEvent::Command(command, gather) = event else {
                panic!("no command")
            };
            assert_eq!(*command.target(), Target::Everyone);
            gather.add(worker as u64);
        }
    }
    assert_eq!(later(reply), Ok(3));
}

#[test]
fn a_worker_that_never_answers_holds_nobody_up_once_it_is_gone() {
    let gateway = Gateway::new(2);
    let reply = gateway
        .memory
        .command(Command::Disconnect(Target::Everyone, "".into()));
    drop(gateway.take(0));
    drop(gateway.take(1));
    assert_eq!(later(reply), Ok(0));
}

#[test]
fn sessions_of_all_workers_are_listed_up_to_the_limit() {
    let gateway = Gateway::new(2);
    let reply = gateway.memory.sessions(Some("ann".into()), 3);
    for worker in 0..2 {
        for event in gateway.take(worker) {
            let BackboneEvent::Sessions(user, _, gather) = event else {
                panic!("no question")
            };
            assert_eq!(user.as_deref(), Some("ann"));
            (0..2).for_each(|_| gather.add(info(stranger())));
        }
    }
    assert_eq!(later(reply).unwrap().len(), 3);
}

#[test]
fn a_claim_asks_all_workers_but_the_one_that_claims() {
    let gateway = Gateway::new(3);
    let reply = gateway.memory.claim(1, claim());
    assert!(gateway.take(1).is_empty());
    for worker in [0, 2] {
        for event in gateway.take(worker) {
            let BackboneEvent::Claim(claim, gather) = event else {
                panic!("no claim")
            };
            assert_eq!(&*claim.user, "ann");
            if worker == 2 {
                gather.add(Record {
                    rooms: vec![(room("a"), 7)],
                    present: true,
                });
            }
        }
    }
    gateway.give_answers(1);
    let record = later(reply).unwrap().unwrap();
    assert_eq!(record.rooms, [(room("a"), 7)]);
    assert!(record.present);
}

#[test]
fn a_claim_that_nobody_answers_finds_nothing() {
    let gateway = Gateway::new(2);
    let reply = gateway.memory.claim(0, claim());
    drop(gateway.take(1));
    gateway.give_answers(0);
    assert!(later(reply).unwrap().is_none());
}

/// Gives up a session as the worker does that has it.
fn give_up(gateway: &Gateway, worker: usize) {
    for event in gateway.take(worker) {
        let BackboneEvent::Claim(_, gather) = event else {
            panic!("no claim")
        };
        gather.add(Record {
            rooms: vec![(room("a"), 7)],
            present: true,
        });
    }
}

#[test]
fn of_two_claims_of_one_client_the_later_one_gets_the_session() {
    let gateway = Gateway::new(3);
    let claim = claim();
    let earlier = gateway.memory.claim(0, claim.clone());
    let later_one = gateway.memory.claim(1, claim);
    assert!(later(earlier).unwrap().is_none());
    drop(gateway.take(1));
    give_up(&gateway, 2);
    assert!(gateway.take(0).is_empty());
    gateway.give_answers(1);
    assert!(later(later_one).unwrap().is_some());
}

#[test]
fn a_claim_that_is_answered_is_so_before_its_worker_is_asked_for_the_session() {
    let gateway = Gateway::new(2);
    let claim = claim();
    let earlier = gateway.memory.claim(0, claim.clone());
    give_up(&gateway, 1);
    let later_one = gateway.memory.claim(1, claim);
    let [answer, question] = &gateway.take(0)[..] else {
        panic!("an answer and a question")
    };
    assert!(matches!(answer, BackboneEvent::Completion(_)));
    assert!(matches!(question, BackboneEvent::Claim(..)));
    drop((earlier, later_one));
}

#[test]
fn a_claim_of_somebody_else_is_another_one() {
    let gateway = Gateway::new(2);
    let claim = claim();
    let others = Claim {
        user: "bob".into(),
        ..claim.clone()
    };
    let (own, other) = (
        gateway.memory.claim(0, claim),
        gateway.memory.claim(0, others),
    );
    let mut users = Vec::new();
    for event in gateway.take(1) {
        let BackboneEvent::Claim(claim, gather) = event else {
            panic!("no claim")
        };
        users.push(claim.user.to_string());
        if &*claim.user == "ann" {
            gather.add(Record {
                rooms: Vec::new(),
                present: true,
            });
        }
    }
    assert_eq!(users, ["ann", "bob"]);
    gateway.give_answers(0);
    assert!(later(own).unwrap().is_some() && later(other).unwrap().is_none());
}

#[test]
fn a_lone_worker_is_told_at_once_that_nobody_else_has_a_session() {
    let gateway = Gateway::new(1);
    assert!(now(gateway.memory.claim(0, claim())).unwrap().is_none());
    assert!(gateway.take(0).is_empty());
}

#[test]
fn a_user_has_as_many_sessions_over_all_workers_as_allowed() {
    let gateway = Gateway::new(2);
    let ann = Arc::from("ann");
    assert_eq!(gateway.memory.enter(&ann, 2), Ok(()));
    assert_eq!(gateway.memory.enter(&ann, 2), Ok(()));
    assert_eq!(gateway.memory.enter(&ann, 2), Err(Error::UserConnections));
    gateway.memory.exit(&ann);
    assert_eq!(gateway.memory.enter(&ann, 2), Ok(()));
}
