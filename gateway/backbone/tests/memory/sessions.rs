//! Commands, questions and claims, which the workers answer.

use std::sync::Arc;

use sluice_backbone::{Backbone, Claim, Command, Delivery, Error, Record, SessionInfo, Target};
use sluice_rooms::{Pid, SessionId};

use crate::support::{Fleet, later, now, room, stranger};

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
    let fleet = Fleet::new(3);
    let reply = fleet
        .memory
        .command(Command::Leave(Target::Everyone, "a".into()));
    for worker in 0..3 {
        for delivery in fleet.take(worker) {
            let Delivery::Command(command, gather) = delivery else {
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
    let fleet = Fleet::new(2);
    let reply = fleet
        .memory
        .command(Command::Disconnect(Target::Everyone, "".into()));
    drop(fleet.take(0));
    drop(fleet.take(1));
    assert_eq!(later(reply), Ok(0));
}

#[test]
fn sessions_of_all_workers_are_listed_up_to_the_limit() {
    let fleet = Fleet::new(2);
    let reply = fleet.memory.sessions(Some("ann".into()), 3);
    for worker in 0..2 {
        for delivery in fleet.take(worker) {
            let Delivery::Sessions(user, gather) = delivery else {
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
    let fleet = Fleet::new(3);
    let reply = fleet.memory.claim(1, claim());
    assert!(fleet.take(1).is_empty());
    for worker in [0, 2] {
        for delivery in fleet.take(worker) {
            let Delivery::Claim(claim, gather) = delivery else {
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
    let record = later(reply).unwrap().unwrap();
    assert_eq!(record.rooms, [(room("a"), 7)]);
    assert!(record.present);
}

#[test]
fn a_claim_that_nobody_answers_finds_nothing() {
    let fleet = Fleet::new(2);
    let reply = fleet.memory.claim(0, claim());
    drop(fleet.take(1));
    assert!(later(reply).unwrap().is_none());
}

#[test]
fn a_lone_worker_is_told_at_once_that_nobody_else_has_a_session() {
    let fleet = Fleet::new(1);
    assert!(now(fleet.memory.claim(0, claim())).unwrap().is_none());
    assert!(fleet.take(0).is_empty());
}

#[test]
fn a_user_has_as_many_sessions_over_all_workers_as_allowed() {
    let fleet = Fleet::new(2);
    let ann = Arc::from("ann");
    assert_eq!(fleet.memory.enter(&ann, 2), Ok(()));
    assert_eq!(fleet.memory.enter(&ann, 2), Ok(()));
    assert_eq!(fleet.memory.enter(&ann, 2), Err(Error::UserConnections));
    fleet.memory.exit(&ann);
    assert_eq!(fleet.memory.enter(&ann, 2), Ok(()));
}
