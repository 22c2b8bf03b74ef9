//! Sessions that go on over another connection.

use sluice_backbone::{Backbone, Claim, Gather};
use sluice_net::Cause;
use sluice_rooms::{Position, Reading};

use super::{bench::on_bench, counts, epoch, is_closing, join, members, present};

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
