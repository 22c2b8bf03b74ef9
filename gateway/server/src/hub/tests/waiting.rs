//! Sessions that wait for their clients.

use std::time::Duration;

use sluice_net::Cause;
use tokio::time::sleep;

use super::{bench::on_bench, counts, join, present};

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
