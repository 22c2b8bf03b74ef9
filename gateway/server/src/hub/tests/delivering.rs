//! What sessions are sent, and what becomes of those that take too little or too much.

use std::time::Duration;

use sluice_backbone::{Backbone, BackboneEvent, Publication};
use sluice_net::Cause;
use sluice_rooms::{Publisher, RoomKey, RoomSettings};
use tokio::time::sleep;

use super::{bench::on_bench, ending, is_closing, join};

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
