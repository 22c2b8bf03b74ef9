//! One worker's sessions, with a clock that runs as told.

mod admission;
mod bench;
mod model;
mod slow;

use std::time::Duration;

use sluice_backbone::{Backbone, BackboneEvent, Claim, Gather, Publication};
use sluice_net::Cause;
use sluice_rooms::{Epoch, Position, Publisher, Reading, RoomKey, RoomSettings};
use tokio::time::sleep;

use self::bench::{Bench, on_bench};
use super::Session;
use crate::{
    inboxes::Move,
    operation::{JoinOptions, Operation},
};

fn join(room: &str) -> Operation<'_> {
    Operation::Join {
        room: room.into(),
        from: JoinOptions::default(),
    }
}

fn refresh(token: &str) -> Operation<'_> {
    Operation::Refresh {
        token: token.into(),
    }
}

/// How many users presence shows in a room.
async fn present(bench: &Bench, room: &str) -> usize {
    let key = RoomKey::new("/", room);
    let members = bench.memory.members(&key, 10).wait().await;
    members.unwrap().count
}

/// Of all histories here.
async fn epoch(bench: &Bench) -> Epoch {
    let (key, settings) = (RoomKey::new("/", "any"), RoomSettings::default());
    let joined = bench.memory.subscribe(0, &key, &settings).wait().await;
    joined.unwrap().epoch
}

fn members(bench: &Bench, room: &str) -> usize {
    let room = bench.hub.namespace("/").known(room);
    room.map_or(0, |room| room.members.borrow().len())
}

fn is_closing(session: &Session) -> bool {
    match &*session.outlet.borrow() {
        super::Outlet::Native(connection) => connection.ended().is_some(),
        _ => true,
    }
}

fn ending(session: &Session) -> Option<Cause> {
    match &*session.outlet.borrow() {
        super::Outlet::Native(connection) => connection.ended(),
        _ => None,
    }
}

fn counts(bench: &Bench) -> (u64, u64, u64) {
    let counters = &bench.hub.counters;
    (
        counters.sessions.get(),
        counters.detached.get(),
        counters.memberships.get(),
    )
}

#[test]
fn two_joins_of_one_room_at_once_make_one_member() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let first = bench.ask(&ann, join("r"));
        let second = bench.ask(&ann, join("r"));
        assert!(first.await.is_ok() && second.await.is_ok());
        assert_eq!((members(&bench, "r"), counts(&bench).2), (1, 1));
        bench.hub.disconnected(&ann, Cause::Left);
        assert_eq!(members(&bench, "r"), 0);
        assert_eq!(present(&bench, "r").await, 0);
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn a_session_that_ends_while_it_joins_leaves_nothing_behind() {
    on_bench(async |bench| {
        for cause in [Cause::Left, Cause::Lost] {
            let ann = bench.enter("ann").await;
            let joining = bench.ask(&ann, join("r"));
            bench.hub.disconnected(&ann, cause);
            assert!(joining.await.is_err());
            assert_eq!(members(&bench, "r"), 0);
            assert_eq!(present(&bench, "r").await, 0);
        }
        sleep(Duration::from_mins(3)).await;
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn a_session_that_ends_while_it_joins_after_a_message_leaves_nothing_behind() {
    on_bench(async |bench| {
        for (room, cause) in [
            ("kept", Cause::Left),
            ("kept", Cause::Lost),
            ("r", Cause::Lost),
        ] {
            let ann = bench.enter("ann").await;
            let from = JoinOptions {
                after: Some(0),
                ..JoinOptions::default()
            };
            let joining = bench.ask(
                &ann,
                Operation::Join {
                    room: room.into(),
                    from,
                },
            );
            bench.hub.disconnected(&ann, cause);
            assert!(joining.await.is_err());
            assert_eq!((members(&bench, room), present(&bench, room).await), (0, 0));
        }
        sleep(Duration::from_mins(3)).await;
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn a_room_that_is_forgotten_while_somebody_joins_has_its_member() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let joining = bench.ask(&ann, join("r"));
        bench.hub.namespace("/").forget_empty();
        assert!(joining.await.is_ok());
        assert_eq!(members(&bench, "r"), 1);
    });
}

#[test]
fn a_client_that_read_further_than_this_gateway_joins_where_it_is() {
    on_bench(async |bench| {
        let key = RoomKey::new("/", "r");
        let settings = RoomSettings::default();
        let here = bench.memory.subscribe(0, &key, &settings).wait().await;
        let here = here.unwrap();
        let read = |epoch| Reading::of(Position { epoch, offset: 7 });
        for (read, began) in [
            (None, here.offset),
            (Some(read(here.epoch)), 7),
            (Some(read(Epoch::random())), here.offset),
        ] {
            let ann = bench.enter_from("ann", read).await;
            assert!(bench.ask(&ann, join("r")).await.is_ok());
            assert_eq!(ann.record_rooms(), [(key.clone(), began)]);
            bench.hub.disconnected(&ann, Cause::Left);
        }
    });
}

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
fn refreshing_often_piles_up_no_timers() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let before = bench.hub.timers.len();
        for seconds in (1_000..1_100).chain([100, 2_000, 100, 2_000]) {
            let token = bench.token("ann", Duration::from_secs(seconds));
            assert!(bench.ask(&ann, refresh(&token)).await.is_ok());
        }
        assert_eq!(bench.hub.timers.len(), before);
        bench.hub.disconnected(&ann, Cause::Left);
        assert_eq!(bench.hub.timers.len(), before - 1);
    });
}

#[test]
fn coming_and_going_often_piles_up_no_timers() {
    on_bench(async |bench| {
        let mut ann = bench.enter("ann").await;
        let before = bench.hub.timers.len();
        for _ in 0..100 {
            bench.hub.disconnected(&ann, Cause::Lost);
            assert_eq!(bench.hub.timers.len(), before);
            let again = bench.return_from("ann", &ann, None).await;
            assert_eq!(again.id, ann.id);
            assert_eq!(bench.hub.timers.len(), before);
            ann = again;
        }
    });
}

#[test]
fn a_connection_that_takes_its_time_to_end_is_not_closed_in_the_place_of_another() {
    on_bench(async |bench| {
        let mut sessions = Vec::new();
        for user in ["ann", "bob", "cat"] {
            sessions.push(bench.enter(user).await);
        }
        let one = Move {
            most: 1,
            cause: Cause::Drain,
        };
        for closing in 1..=3 {
            assert_eq!(bench.hub.move_some(one).closed, 1);
            let closed = sessions.iter().filter(|session| is_closing(session));
            assert_eq!(closed.count(), closing);
            // The close is written by then, and the connection looks like any other again.
            sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn a_drain_that_closes_nothing_says_how_many_are_left() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let _bob = bench.enter("bob").await;
        bench.hub.disconnected(&ann, Cause::Lost);
        let none = Move {
            most: 0,
            cause: Cause::Drain,
        };
        let closed = bench.hub.move_some(none);
        assert_eq!((closed.closed, closed.left), (0, 1));
    });
}

#[test]
fn the_oldest_that_wait_to_come_back_go_when_too_many_do() {
    on_bench(async |bench| {
        bench.hub.max_detached.set(2);
        let old = bench.enter("old").await;
        bench.hub.disconnected(&old, Cause::Lost);
        // One that comes and goes does not push the others out.
        let mut restless = bench.enter("restless").await;
        for _ in 0..20 {
            bench.hub.disconnected(&restless, Cause::Lost);
            restless = bench.recover("restless", &restless).await;
        }
        assert!(!old.ended.get());
        assert!(bench.hub.detached.len() <= 5);
        bench.hub.disconnected(&restless, Cause::Lost);
        let last = bench.enter("last").await;
        bench.hub.disconnected(&last, Cause::Lost);
        assert!(old.ended.get() && !restless.ended.get() && !last.ended.get());
        assert_eq!(counts(&bench), (2, 2, 0));
    });
}

#[test]
fn who_leaves_many_sessions_behind_pushes_out_its_own() {
    on_bench(async |bench| {
        bench.hub.max_detached.set(4);
        let ann = bench.enter("ann").await;
        bench.hub.disconnected(&ann, Cause::Lost);
        let mut flood = Vec::new();
        for _ in 0..5 {
            let session = bench.enter("restless").await;
            bench.hub.disconnected(&session, Cause::Lost);
            flood.push(session);
        }
        assert!(!ann.ended.get());
        let ended: Vec<_> = flood.iter().map(|session| session.ended.get()).collect();
        assert_eq!(ended, [true, true, false, false, false]);
        bench.recover("ann", &ann).await;
    });
}

#[test]
fn presence_shows_a_lost_user_for_a_while_and_one_who_leaves_the_page_hardly() {
    on_bench(async |bench| {
        for (cause, still, gone) in [(Cause::Lost, 14, 2), (Cause::Client(1001), 0, 2)] {
            let ann = bench.enter("ann").await;
            assert!(bench.ask(&ann, join("r")).await.is_ok());
            bench.hub.disconnected(&ann, cause);
            sleep(Duration::from_secs(still)).await;
            assert_eq!(present(&bench, "r").await, 1);
            sleep(Duration::from_secs(gone)).await;
            assert_eq!(present(&bench, "r").await, 0);
            // Whoever comes back after that is shown again, once.
            let ann = bench.recover("ann", &ann).await;
            assert_eq!(present(&bench, "r").await, 1);
            bench.hub.disconnected(&ann, Cause::Left);
            assert_eq!(present(&bench, "r").await, 0);
        }
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn a_session_that_was_not_recovered_in_its_window_is_forgotten_once() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        for _ in 0..3 {
            bench.hub.disconnected(&ann, Cause::Lost);
        }
        assert_eq!(counts(&bench), (1, 1, 1));
        sleep(Duration::from_mins(3)).await;
        assert_eq!(counts(&bench), (0, 0, 0));
        assert!(bench.hub.users.borrow().is_empty());
    });
}

#[test]
fn deliveries_that_are_never_written_are_not_remembered_for_ever() {
    on_bench(async |bench| {
        for _ in 0..100_000 {
            bench.hub.owe_observation(std::time::Instant::now());
        }
        assert!(bench.hub.undelivered.borrow().len() < 20_000);
    });
}

#[test]
fn a_client_that_reads_is_not_closed_because_much_came_at_once() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        // Half as much again as may wait for a connection.
        for _ in 0..1_536 {
            let publication = Publication {
                room: RoomKey::new("/", "r"),
                settings: RoomSettings::default(),
                event: "m".into(),
                data: format!("\"{}\"", "x".repeat(1_024)).into(),
                attachments: Vec::new(),
                from: None,
                publisher: Publisher::Application,
                id: None,
                except: None,
            };
            assert!(bench.memory.publish(publication).wait().await.is_ok());
        }
        while bench.hub.counters.deliveries.get() < 1_536 {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(!is_closing(&ann));
    });
}

#[test]
fn a_message_that_is_let_through_does_not_make_good_a_flood() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        ann.strikes.set(9_000);
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        assert_eq!(ann.strikes.get(), 8_900);
    });
}

#[test]
fn a_session_that_is_ended_while_it_is_away_leaves_its_rooms_at_once() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        bench.hub.disconnected(&ann, Cause::Lost);
        assert_eq!(present(&bench, "r").await, 1);
        bench.hub.end_detached(&ann);
        assert_eq!(present(&bench, "r").await, 0);
        assert_eq!(counts(&bench), (0, 0, 0));
        // Its timers find nobody any more.
        sleep(Duration::from_mins(3)).await;
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

#[test]
fn members_of_a_room_whose_messages_are_lost_come_back_and_are_not_counted_as_slow() {
    on_bench(async |bench| {
        let (ann, bob) = (bench.enter("ann").await, bench.enter("bob").await);
        bench.ask(&ann, join("kept")).await.unwrap();
        bench.ask(&bob, join("r")).await.unwrap();
        bench
            .hub
            .deliver(BackboneEvent::Lost(RoomKey::new("/", "kept")));
        assert_eq!(ending(&ann), Some(Cause::HistoryLost));
        assert_eq!(ending(&bob), None);
        assert_eq!(bench.hub.worker.counters().slow_consumers.get(), 0);
        bench.hub.disconnected(&ann, Cause::HistoryLost);
        bench.recover("ann", &ann).await;
    });
}
