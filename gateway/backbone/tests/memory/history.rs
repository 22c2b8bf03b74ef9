//! What is kept, and what is said once it is not.

use sluice_backbone::{Backbone, Error};
use sluice_rooms::{Publisher, Query, RoomSettings};

use crate::support::{
    Gateway, bookmark, fleeting, keeping, now, offset, offsets, publication, room, stranger,
};

#[test]
fn a_history_keeps_the_newest_messages() {
    let gateway = Gateway::new(1);
    let room = room("a");
    (0..5).for_each(|_| drop(gateway.publish(&room, keeping(3))));
    assert_eq!(gateway.kept(&room), [3, 4, 5]);
}

#[test]
fn the_same_id_is_stored_once_and_told_where() {
    let gateway = Gateway::new(1);
    let (room, settings) = (room("a"), keeping(3));
    gateway.subscribe(0, &room, settings);
    let first = gateway.publish_with_id(&room, settings, "x");
    gateway.publish(&room, settings);
    let again = gateway.publish_with_id(&room, settings, "x");
    assert!(again.duplicate && !first.duplicate);
    assert_eq!(again.position, first.position);
    assert_eq!(offsets(&gateway.messages(0)), [1, 2]);
}

#[test]
fn the_id_of_one_publisher_hides_no_message_of_another() {
    let gateway = Gateway::new(1);
    let (room, settings) = (room("a"), keeping(10));
    gateway.subscribe(0, &room, settings);
    let session = Publisher::Session(stranger());
    let publishers = [
        Publisher::User("ann".into()),
        session,
        Publisher::Application,
    ];
    for publisher in &publishers {
        let receipt = gateway.publish_as(publisher, &room, settings, "order-18");
        assert!(!receipt.duplicate, "{publisher:?}");
        assert_eq!(&*receipt.id, "order-18");
    }
    for publisher in &publishers {
        assert!(
            gateway
                .publish_as(publisher, &room, settings, "order-18")
                .duplicate
        );
    }
    assert_eq!(offsets(&gateway.messages(0)), [1, 2, 3]);
}

#[test]
fn no_id_that_a_client_makes_up_hides_a_message_of_others() {
    let gateway = Gateway::new(1);
    let (room, settings) = (room("a"), keeping(10));
    gateway.subscribe(0, &room, settings);
    let mut seen = gateway.publish(&room, settings);
    for _ in 0..3 {
        // What a client can know: the last message's id and position.
        let mut next = seen.position.unwrap();
        next.offset += 2;
        gateway.publish_with_id(&room, settings, &next.to_string());
        seen = gateway.publish(&room, settings);
        assert_eq!(offset(&seen), next.offset);
    }
    assert_eq!(offsets(&gateway.messages(0)), (1..=7).collect::<Vec<_>>());
    assert_eq!(gateway.kept(&room).len(), 7);
}

#[test]
fn what_is_too_old_goes_with_the_next_sweep() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.subscribe(0, &room, fleeting());
    gateway.publish(&room, fleeting());
    gateway.sweep();
    assert!(gateway.kept(&room).is_empty());
    assert_eq!(
        gateway
            .missed(&[bookmark(&room, fleeting(), 0)])
            .unwrap_err(),
        Error::Gone
    );
    assert!(
        gateway
            .missed(&[bookmark(&room, fleeting(), 1)])
            .unwrap()
            .messages
            .is_empty()
    );
}

#[test]
fn a_forgotten_room_says_that_its_messages_are_gone() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.publish(&room, fleeting());
    gateway.sweep();
    assert_eq!(gateway.memory.stats(&[]).rooms, 0);
    assert_eq!(
        gateway
            .missed(&[bookmark(&room, fleeting(), 0)])
            .unwrap_err(),
        Error::Gone
    );
    let query = Query {
        after: Some(0),
        limit: 9,
        ..Query::default()
    };
    assert!(
        now(gateway
            .memory
            .history(&room, &RoomSettings::default(), query))
        .unwrap()
        .1
        .truncated
    );
}

#[test]
fn a_room_that_is_made_anew_remembers_that_messages_are_gone() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.publish(&room, fleeting());
    gateway.sweep();
    let joined = gateway.subscribe(0, &room, keeping(10));
    gateway.publish(&room, keeping(10));
    assert_eq!(
        gateway
            .missed(&[bookmark(&room, keeping(10), 0)])
            .unwrap_err(),
        Error::Gone
    );
    let missed = gateway
        .missed(&[bookmark(&room, keeping(10), joined.offset)])
        .unwrap();
    assert_eq!(offsets(&missed.messages), [2]);
}

#[test]
fn a_room_in_use_never_loses_what_it_had_because_others_are_forgotten() {
    let gateway = Gateway::new(1);
    let quiet = room("quiet");
    let joined = gateway.subscribe(0, &quiet, keeping(10));
    for n in 0..1000 {
        gateway.publish(&room(&n.to_string()), fleeting());
    }
    gateway.sweep();
    let bookmark = [bookmark(&quiet, keeping(10), joined.offset)];
    assert!(gateway.missed(&bookmark).unwrap().messages.is_empty());
    gateway.publish(&quiet, keeping(10));
    assert_eq!(
        offsets(&gateway.missed(&bookmark).unwrap().messages),
        [1001]
    );
}

#[test]
fn a_room_that_stops_keeping_history_and_starts_again_says_what_is_gone() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.subscribe(0, &room, keeping(10));
    gateway.publish(&room, keeping(10));
    gateway.subscribe(0, &room, RoomSettings::default());
    gateway.sweep();
    gateway.publish(&room, keeping(10));
    assert_eq!(
        gateway
            .missed(&[bookmark(&room, keeping(10), 0)])
            .unwrap_err(),
        Error::Gone
    );
    let missed = gateway.missed(&[bookmark(&room, keeping(10), 1)]).unwrap();
    assert_eq!(offsets(&missed.messages), [2]);
}

#[test]
fn a_message_of_a_room_without_history_has_no_position() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.subscribe(0, &room, RoomSettings::default());
    let receipt = gateway.publish(&room, RoomSettings::default());
    assert_eq!(receipt.position, None);
    assert_eq!(offsets(&gateway.messages(0)), [0]);
    assert!(gateway.kept(&room).is_empty());
}

#[test]
fn rooms_that_nobody_needs_are_forgotten() {
    let gateway = Gateway::new(1);
    let (empty, used) = (room("empty"), room("used"));
    now(gateway
        .memory
        .publish(publication(&empty, RoomSettings::default())))
    .unwrap();
    gateway.subscribe(0, &used, RoomSettings::default());
    gateway.sweep();
    assert_eq!(gateway.memory.stats(&[]).rooms, 1);
    gateway.memory.unsubscribe(0, &used);
    gateway.sweep();
    assert_eq!(gateway.memory.stats(&[]).rooms, 0);
}

#[test]
fn stats_say_what_is_held() {
    let gateway = Gateway::new(1);
    let settings = keeping(2);
    for (name, members) in [("a", 1), ("b", 2), ("c", 3)] {
        for n in 0..members {
            let user = n.to_string().into();
            now(gateway.memory.join(&room(name), &user, &settings)).unwrap();
        }
    }
    (0..3).for_each(|_| drop(gateway.publish(&room("a"), settings)));
    let stats = gateway.memory.stats(&[1, 2]);
    assert_eq!((stats.rooms, stats.members, stats.messages), (3, 6, 2));
    assert_eq!(stats.sizes, [1, 1, 1]);
    assert!(stats.bytes > 0);
}

/// What a message of these tests takes.
fn bytes(room: &sluice_rooms::RoomKey) -> usize {
    publication(room, keeping(1)).size()
}

#[test]
fn all_histories_together_have_a_bound_and_a_room_makes_room_for_itself() {
    let (busy, quiet) = (room("busy"), room("quiet"));
    let gateway = Gateway::bounded(1, 10 * bytes(&busy) + 9);
    (0..4).for_each(|_| drop(gateway.publish(&quiet, keeping(1000))));
    (0..100).for_each(|_| drop(gateway.publish(&busy, keeping(1000))));
    assert_eq!(gateway.kept(&quiet), [1, 2, 3, 4]);
    assert_eq!(gateway.kept(&busy).len(), 6);
    assert!(gateway.memory.stats(&[]).bytes <= 10 * bytes(&busy) as u64 + 9);
    // A member that has read less is told so.
    let missed = gateway.missed(&[bookmark(&busy, keeping(1000), 4)]);
    assert_eq!(missed.unwrap_err(), Error::Gone);
}

#[test]
fn a_room_without_a_message_to_let_go_is_refused_while_histories_are_full() {
    let gateway = Gateway::bounded(1, 10 * bytes(&room("0")) + 9);
    for number in 0..10 {
        gateway.publish(&room(&number.to_string()), fleeting());
    }
    let new = publication(&room("new"), keeping(1000));
    let refused = now(gateway.memory.publish(new.clone()));
    assert_eq!(refused.unwrap_err(), Error::Overloaded);
    let live = publication(&room("new"), RoomSettings::default());
    assert!(
        now(gateway.memory.publish(live)).is_ok(),
        "it keeps nothing"
    );
    gateway.sweep();
    assert!(now(gateway.memory.publish(new)).is_ok());
}

#[test]
fn what_messages_of_any_size_take_is_given_back_when_they_go() {
    let gateway = Gateway::bounded(1, 20_000);
    let (large, small) = (room("large"), room("small"));
    for round in 0..50 {
        let data = format!("\"{}\"", "x".repeat(round * 200));
        let publication = sluice_backbone::Publication {
            data: data.into(),
            ..publication(&large, fleeting())
        };
        now(gateway.memory.publish(publication)).unwrap();
        gateway.publish(&small, keeping(3));
        assert!(gateway.memory.stats(&[]).bytes <= 20_000);
        if round % 7 == 0 {
            gateway.sweep();
        }
    }
}
