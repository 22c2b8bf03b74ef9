//! What becomes of attempts to be let in that come to nothing.

use std::{cell::Cell, time::Duration};

use sluice_backbone::Record;
use sluice_contract::Code;
use sluice_net::Cause;
use sluice_policy::{Rate, TokenBucket};
use sluice_rooms::{Pid, RoomKey};
use tokio::time::sleep;

use super::{Bench, Session, bench::on_bench, counts, join, members, present};
use crate::hub::Knock;

/// A session of ann's that another worker gives up once, with one room.
fn elsewhere(bench: &Bench) -> Pid {
    let record = Record {
        rooms: vec![(RoomKey::new("/", "r"), 0)],
        present: false,
    };
    *bench.elsewhere.record.lock().unwrap() = Some(record);
    Pid::random()
}

fn knock(pid: Pid) -> Knock {
    Knock {
        pid: Some(pid),
        ..Knock::default()
    }
}

/// Has a user lose interest at the `n`th time it is looked whether it still has any.
async fn lose_interest(bench: &Bench, pid: Pid, n: u32) -> bool {
    let looks = Cell::new(0);
    let wanted = || {
        looks.set(looks.get() + 1);
        looks.get() < n
    };
    let entered = bench.try_knock("ann", knock(pid), wanted).await;
    let unwanted = matches!(entered, Ok(None));
    assert!(
        unwanted || looks.get() < n,
        "it lost interest and was let in"
    );
    unwanted
}

fn waits(bench: &Bench, pid: Pid) -> bool {
    let session = bench.hub.session(pid.session());
    session.is_some_and(|session| session.is_detached() && session.record_rooms().len() == 1)
}

#[test]
fn a_session_that_was_never_its_clients_is_not_kept() {
    on_bench(async |bench| {
        for _ in 0..100 {
            let made_up = knock(Pid::random());
            let entered = bench.try_knock("ann", made_up, || false).await;
            assert!(matches!(entered, Ok(None)));
        }
        assert_eq!(counts(&bench), (0, 0, 0));
        assert!(bench.hub.shared.backbone.enter(&"ann".into(), 1).is_ok());
    });
}

#[test]
fn a_client_that_goes_while_it_is_let_in_finds_its_session_when_it_comes_back() {
    on_bench(async |bench| {
        let pid = elsewhere(&bench);
        let mut cut = 0;
        // Each time it gets a step further before it goes.
        for step in 1.. {
            if !lose_interest(&bench, pid, step).await {
                break;
            }
            cut += 1;
            assert!(waits(&bench, pid), "cut at step {step}");
            assert_eq!((counts(&bench), members(&bench, "r")), ((1, 1, 1), 0));
        }
        assert_eq!(
            cut, 2,
            "once it was found, and once what it missed was read"
        );
        assert_eq!(present(&bench, "r").await, 1);
        assert!(bench.elsewhere.forgotten.lock().unwrap().is_empty());
    });
}

#[test]
fn a_session_that_was_put_back_ends_when_nobody_comes() {
    on_bench(async |bench| {
        let pid = elsewhere(&bench);
        assert!(lose_interest(&bench, pid, 1).await && waits(&bench, pid));
        sleep(Duration::from_mins(3)).await;
        assert_eq!((counts(&bench), present(&bench, "r").await), ((0, 0, 0), 0));
        let forgotten = bench.elsewhere.forgotten.lock().unwrap().clone();
        assert_eq!(forgotten, [pid.session()]);
    });
}

#[test]
fn a_drain_that_begins_while_a_client_is_let_in_leaves_its_session_to_it() {
    on_bench(async |bench| {
        let pid = elsewhere(&bench);
        let admission = &bench.hub.shared.admission;
        let drained = || {
            admission.set_draining(true);
            true
        };
        let refused = bench.try_knock("ann", knock(pid), drained).await;
        assert_eq!(refused.err().unwrap().code(), Code::Draining.as_str());
        assert!(waits(&bench, pid));
        assert!(bench.elsewhere.forgotten.lock().unwrap().is_empty());
        admission.set_draining(false);
        let entered = bench.try_knock("ann", knock(pid), || true).await;
        assert!(entered.unwrap().unwrap().recovered);
    });
}

#[test]
fn a_client_that_is_refused_leaves_the_connection_that_its_session_has() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        assert!(bench.ask(&ann, join("r")).await.is_ok());
        bench.hub.shared.admission.set_draining(true);
        assert!(
            bench
                .try_knock("ann", knock(ann.pid), || true)
                .await
                .is_err()
        );
        bench.hub.shared.admission.set_draining(false);
        assert!(!lose_interest_in(&bench, &ann).await);
        assert!(!ann.is_detached() && members(&bench, "r") == 1);
        bench.hub.disconnected(&ann, Cause::Left);
        assert_eq!(counts(&bench), (0, 0, 0));
    });
}

async fn lose_interest_in(bench: &Bench, session: &Session) -> bool {
    let entered = bench.try_knock("ann", knock(session.pid), || false).await;
    entered.unwrap().is_some()
}

#[test]
fn a_user_who_connects_again_has_sent_what_it_has_sent() {
    on_bench(async |bench| {
        let mut used = TokenBucket::new();
        let ahead = bench.hub.now_ms() + 1_000_000;
        assert!(used.take(ahead, Rate::per_second(1)));
        for cause in [Cause::Left, Cause::Lost] {
            let ann = bench.enter("ann").await;
            ann.bucket.set(used);
            let other = bench.enter("ann").await;
            assert_eq!(other.bucket.get(), TokenBucket::new());
            bench.hub.disconnected(&ann, cause);
            assert_eq!(bench.enter("bob").await.bucket.get(), TokenBucket::new());
            let again = bench.enter("ann").await;
            assert_eq!(again.bucket.get(), used);
            again.bucket.set(TokenBucket::new());
        }
    });
}

#[test]
fn what_one_user_leaves_behind_pushes_out_nobody_else() {
    on_bench(async |bench| {
        let bob = bench.enter("bob").await;
        bench.hub.disconnected(&bob, Cause::Lost);
        let mut left = Vec::new();
        for _ in 0..50 {
            let ann = bench.enter("ann").await;
            bench.hub.disconnected(&ann, Cause::Lost);
            left.push(ann);
        }
        let most = bench.hub.policy().limits.connections_per_user as usize;
        let kept = left.iter().map(|session| !session.ended.get());
        assert!(kept.eq((0..50).map(|number| number >= 50 - most)));
        assert_eq!(counts(&bench).1, most as u64 + 1);
        bench.recover("bob", &bob).await;
        // One that has come back waits no longer, and makes room for another.
        let ann = bench.recover("ann", &left[49]).await;
        let other = bench.enter("ann").await;
        bench.hub.disconnected(&other, Cause::Lost);
        assert!(!left[50 - most].ended.get());
        bench.hub.disconnected(&ann, Cause::Lost);
        assert!(left[50 - most].ended.get());
    });
}
