//! Connections that a drain closes.

use std::time::Duration;

use sluice_net::Cause;
use tokio::time::sleep;

use super::{bench::on_bench, is_closing};
use crate::inboxes::Move;

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
