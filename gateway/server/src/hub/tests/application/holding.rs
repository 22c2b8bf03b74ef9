//! Events that wait for an instance.

use std::{cell::RefCell, ops::ControlFlow, rc::Rc};

use sluice_net::Cause;

use super::{super::ending, Place, at_place, instance::Instance};
use crate::hub::{Knock, Outlet, Session};

/// A client emits, and wants an answer.
fn ask(place: &Place, session: &Rc<Session>, number: usize) -> Rc<RefCell<Vec<String>>> {
    let answers: Rc<RefCell<Vec<String>>> = Rc::default();
    let answered = Rc::clone(&answers);
    let array = format!(r#"["ask",{number}]"#);
    let answer =
        move |array: &str, _: &[bytes::Bytes]| answered.borrow_mut().push(array.to_owned());
    let hub = &place.bench.hub;
    let flow = hub.event_for_application(session, &array, &[], Some(Box::new(answer)));
    assert_eq!(flow, ControlFlow::Continue(()));
    answers
}

fn tell(place: &Place, session: &Rc<Session>, bytes: usize) {
    let array = format!(r#"["tell","{}"]"#, "x".repeat(bytes));
    let hub = &place.bench.hub;
    let _ = hub.event_for_application(session, &array, &[], None);
}

fn waits(session: &Session) -> bool {
    session.attached().unwrap().instance().is_none()
}

#[test]
fn held_events_wait_until_the_next_instance_has_place_for_them() {
    at_place(1, async |place| {
        place.start("first");
        let ann = place.enter("ann").await;
        place.start("second");
        place.with("second", |second| second.accepts = false);
        place.kill("first");
        let asked = |place: &Place| place.with("second", |second| second.asking.clone());
        place
            .until("the next is asked", |place| !asked(place).is_empty())
            .await;
        tell(&place, &ann, 10);
        tell(&place, &ann, 10);
        let handle = asked(&place)[0];
        // Another client fills what may wait for the second.
        place.with("second", |second| second.accepts = true);
        let bob = place.enter("bob").await;
        place.deaf.borrow_mut().push("second".to_owned());
        for _ in 0..300 {
            tell(&place, &bob, 60_000);
        }
        place.with("second", |second| second.accept(handle));
        for _ in 0..200 {
            place.turn().await;
        }
        assert_eq!((waits_unread(&ann), waits_unread(&bob)), (false, true));
        place.deaf.borrow_mut().clear();
        let taken = |place: &Place| place.with("second", |second| second.taken.len());
        place
            .until("all are taken", |place| taken(place) == 302)
            .await;
        place
            .until("bob is read again", |_| !waits_unread(&bob))
            .await;
        assert_eq!((ending(&ann), ending(&bob)), (None, None));
        let counters = &place.bench.hub.counters;
        assert_eq!(
            (counters.waiting_bytes.get(), counters.paused.get()),
            (0, 0)
        );
    });
}

#[test]
fn a_client_that_sends_more_than_may_wait_is_not_read_and_comes_back_if_that_lasts() {
    at_place(5, async |place| {
        place.start("first");
        let ann = place.enter("ann").await;
        place.kill("first");
        place.until("she waits", |_| waits(&ann)).await;
        for _ in 0..3 {
            assert!(!waits_unread(&ann));
            tell(&place, &ann, 30_000);
        }
        assert!(waits_unread(&ann));
        for _ in 0..1_900 {
            place.turn().await;
        }
        assert_eq!(ending(&ann), None, "for less than unreadFor");
        place
            .until("she is closed", |_| ending(&ann).is_some())
            .await;
        assert_eq!(ending(&ann), Some(Cause::Overloaded));
        place.bench.hub.disconnected(&ann, Cause::Overloaded);
        let counters = &place.bench.hub.counters;
        assert_eq!(
            (counters.undelivered_events.get(), counters.paused.get()),
            (3, 0)
        );
        assert_eq!(counters.waiting_bytes.get(), 0);
    });
}

/// Whether what the client sends is not read.
fn waits_unread(session: &Session) -> bool {
    match &*session.outlet.borrow() {
        Outlet::Native(connection) => connection.is_paused(),
        _ => false,
    }
}

#[test]
fn what_an_instance_may_have_taken_and_did_not_answer_is_said_again_as_repeated() {
    // An acknowledgement may be on its way when the instance dies, or have come.
    for turns in [0, 50] {
        at_place(2, async |place| {
            place.start("first");
            place.with("first", |first| first.answers = false);
            let ann = place.enter("ann").await;
            let one = ask(&place, &ann, 1);
            tell(&place, &ann, 1);
            let taken = |place: &Place, id: &str| place.with(id, |it| it.taken.clone());
            place
                .until("both are taken", |place| taken(place, "first").len() == 2)
                .await;
            for _ in 0..turns {
                place.turn().await;
            }
            place.kill("first");
            place.until("she waits", |_| waits(&ann)).await;
            let two = ask(&place, &ann, 2);
            place.start("second");
            place
                .until("all are answered", |_| {
                    one.borrow().len() + two.borrow().len() == 2
                })
                .await;
            let said: Vec<_> = taken(&place, "second")
                .iter()
                .map(|it| (it.number, it.repeated))
                .collect();
            let told = (turns == 0).then_some((None, true));
            let all: Vec<_> = [(Some(1), true)]
                .into_iter()
                .chain(told)
                .chain([(Some(2), false)])
                .collect();
            assert_eq!(said, all, "after {turns} turns");
            assert_eq!(
                place.bench.hub.counters.in_doubt.get(),
                all.len() as u64 - 1
            );
        });
    }
}

#[test]
fn a_client_that_was_refused_is_not_cancelled_too() {
    at_place(3, async |place| {
        place.start("first");
        place.with("first", |first| first.accepts = false);
        let knock = place.bench.try_knock("ann", Knock::default(), || true);
        let mut knock = std::pin::pin!(knock);
        let refused = loop {
            tokio::select! {
                biased;
                entered = &mut knock => break entered,
                () = place.turn() => {}
            }
            place.with("first", |first| {
                for handle in std::mem::take(&mut first.asking) {
                    let entry = sluice_contract::application::Entry::new("refuse");
                    first.say(&entry.number(handle).body(br#"{"message":"no"}"#));
                }
            });
        };
        assert!(refused.is_err());
        for _ in 0..50 {
            place.turn().await;
        }
        let cancelled = place.with("first", |first| {
            first.told.iter().any(|(kind, _)| kind == "cancel")
        });
        assert!(!cancelled);
    });
}

#[test]
fn events_stay_with_their_instance_until_it_has_said_that_it_is_done() {
    at_place(4, async |place| {
        place.start("first");
        place.with("first", |first| first.answers = false);
        let ann = place.enter("ann").await;
        let one = ask(&place, &ann, 1);
        place
            .until("it is taken", |place| {
                place.with("first", |it| it.taken.len() == 1)
            })
            .await;
        place.start("second");
        place.with("first", Instance::leave);
        place
            .until("the next has her", |place| {
                place.with("second", |it| !it.sessions.is_empty())
            })
            .await;
        let two = ask(&place, &ann, 2);
        place
            .until("both are answered", |_| {
                one.borrow().len() + two.borrow().len() == 2
            })
            .await;
        let second = place.with("second", |it| it.taken.clone());
        assert_eq!((second.len(), second[0].repeated), (1, false));
    });
}
