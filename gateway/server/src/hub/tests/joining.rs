//! Who comes into rooms, whatever becomes of it meanwhile.

use std::time::Duration;

use sluice_backbone::Backbone;
use sluice_net::Cause;
use sluice_rooms::{Epoch, Position, Reading, RoomKey, RoomSettings};
use tokio::time::sleep;

use super::{bench::on_bench, counts, join, members, present};
use crate::operation::{JoinOptions, Operation};

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
