//! Sessions that go on over another connection.

use std::rc::Rc;

use sluice_backbone::{Backbone, Claim, Gather, Publication};
use sluice_net::Cause;
use sluice_rooms::{Position, Publisher, Reading, RoomKey};
use tokio::sync::oneshot;

use super::{
    bench::{Bench, on_bench},
    counts, epoch, is_closing, join, members, present,
};
use crate::{
    hub::{Knock, Outlet, Session},
    outcome::{Outcome, Success},
};

#[test]
fn a_session_that_went_on_elsewhere_is_not_recovered_from_what_it_left_behind() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        bench.hub.disconnected(&ann, Cause::Lost);
        let offset = bench.memory.delivered() + 1;
        let read = Reading::of(Position {
            epoch: epoch(&bench).await,
            offset,
        });
        let again = bench.return_from("ann", &ann, Some(read)).await;
        assert!(again.id != ann.id && ann.ended.get());
        assert_eq!(counts(&bench), (1, 0, 0));
        assert_eq!(present(&bench, "r").await, 0);
    });
}

#[test]
fn a_session_that_has_read_no_more_than_it_was_told_is_recovered() {
    on_bench(async |bench| {
        let elsewhere = Reading::of(Position {
            epoch: epoch(&bench).await,
            offset: 7,
        });
        let ann = bench.enter_from("ann", Some(elsewhere.clone())).await;
        bench.hub.disconnected(&ann, Cause::Lost);
        let again = bench.return_from("ann", &ann, Some(elsewhere)).await;
        assert_eq!(again.id, ann.id, "it had read that much when it came");
    });
}

#[test]
fn a_client_that_comes_again_while_it_is_let_in_goes_on() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        bench.hub.disconnected(&ann, Cause::Lost);
        let (first, second) = tokio::join!(
            biased;
            bench.return_from("ann", &ann, None),
            bench.return_from("ann", &ann, None),
        );
        assert_eq!((first.id, second.id), (ann.id, ann.id));
        assert!(is_closing(&first) && !is_closing(&second));
        assert_eq!(members(&bench, "r"), 1);
        assert_eq!(counts(&bench), (1, 0, 1));
    });
}

#[test]
fn who_claims_a_session_that_is_let_in_waits_for_it() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        bench.hub.disconnected(&ann, Cause::Lost);
        let claim = Claim {
            pid: ann.pid,
            user: "ann".into(),
            namespace: "/".into(),
            read: None,
        };
        let claimed = async {
            while !bench.hub.resuming.has(ann.id) {
                tokio::task::yield_now().await;
            }
            let (gather, given) = Gather::new();
            bench.hub.claimed(claim, gather);
            given.await.unwrap()
        };
        let (_, given) = tokio::join!(biased; bench.return_from("ann", &ann, None), claimed);
        assert_eq!(given.len(), 1);
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn a_session_that_is_taken_over_while_it_is_let_in_does_not_go_on_here() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        bench.hub.disconnected(&ann, Cause::Lost);
        let moved = async {
            while !bench.hub.resuming.has(ann.id) {
                tokio::task::yield_now().await;
            }
            bench.hub.moved(ann.id);
        };
        let (again, ()) = tokio::join!(biased; bench.return_from("ann", &ann, None), moved);
        assert!(again.id != ann.id);
        assert_eq!((members(&bench, "r"), present(&bench, "r").await), (0, 0));
        assert_eq!(counts(&bench), (1, 0, 0));
    });
}

#[test]
fn a_vague_position_goes_on_where_its_gateway_lives_unless_nobody_can_tell() {
    on_bench(async |bench| {
        let even = Position {
            epoch: epoch(&bench).await,
            offset: 0,
        };
        for (rest, recovers) in [(",*3", true), (",*", false)] {
            let ann = bench.enter("ann").await;
            bench.hub.disconnected(&ann, Cause::Lost);
            let read = Reading::parse(&format!("{even}{rest}"));
            assert!(read.as_ref().is_some_and(Reading::is_vague));
            let again = bench.return_from("ann", &ann, read).await;
            assert_eq!(again.id == ann.id, recovers, "{rest}");
            let gone = bench.hub.counters.recovery_gone.get();
            assert_eq!(gone, u64::from(!recovers));
        }
    });
}

#[test]
fn a_member_that_joins_again_is_told_of_nothing_that_waits_to_be_sent_to_it() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let began = joined_at(&bench, &ann).await;
        bench.hub.disconnected(&ann, Cause::Lost);
        let mut newest = began;
        for _ in 0..5 {
            newest = publish(&bench).await;
        }
        let knock = Knock {
            pid: Some(ann.pid),
            ..Knock::default()
        };
        let (connection, _end) = bench.connection().await;
        let entered = bench.try_knock("ann", knock, || true).await;
        let entered = entered.unwrap().unwrap();
        assert!(entered.recovered);
        let again = bench.hub.attach(entered, Outlet::Native(connection));
        assert_eq!(again.id, ann.id);

        assert_eq!(joined_at(&bench, &again).await, began, "five wait");
        let later = publish(&bench).await;
        assert!(later > newest);
        assert_eq!(joined_at(&bench, &again).await, began, "six wait");

        bench.hub.told_connected(&again);
        assert!(again.replay().is_none());
        assert_eq!(joined_at(&bench, &again).await, later, "all are sent");
    });
}

/// Joins a room with a history and says which offset the answer names.
async fn joined_at(bench: &Bench, session: &Rc<Session>) -> u64 {
    let (sender, receiver) = oneshot::channel();
    let _ = bench
        .hub
        .perform(session, join("kept"), |outcome: &Outcome| {
            let Ok(Success::Joined { offset, .. }) = outcome else {
                panic!("the join was refused");
            };
            sender.send(*offset).unwrap();
        });
    receiver.await.unwrap()
}

/// Publishes into a room with a history and says at which offset.
async fn publish(bench: &Bench) -> u64 {
    let policy = bench.hub.policy();
    let publication = Publication {
        room: RoomKey::new("/", "kept"),
        settings: crate::rules::settings(policy.room("/", "kept").unwrap()),
        event: "m".into(),
        data: "1".into(),
        attachments: Vec::new(),
        from: None,
        publisher: Publisher::Application,
        id: None,
        except: None,
    };
    let receipt = bench.memory.publish(publication).wait().await.unwrap();
    receipt.position.unwrap().offset
}
