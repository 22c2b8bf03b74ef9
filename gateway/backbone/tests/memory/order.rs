//! One order for all.

use std::sync::{Barrier, atomic::Ordering};

use sluice_backbone::{Backbone as _, BackboneEvent, Reader};
use sluice_rooms::RoomSettings;

use crate::support::{
    Gateway, bookmark, keeping, later, now, offset, offsets, publication, room, stranger,
};

const WORKERS: usize = 4;
const EACH: usize = 500;

/// Publishes from as many threads as there are workers, to rooms that all of them are in.
fn storm(gateway: &Gateway, rooms: &[&str], settings: RoomSettings) {
    let rooms: Vec<_> = rooms.iter().map(|name| room(name)).collect();
    for worker in 0..WORKERS {
        for room in &rooms {
            gateway.subscribe(worker, room, settings);
        }
    }
    let start = Barrier::new(WORKERS);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (rooms, start) = (&rooms, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..EACH {
                    let room = &rooms[(n + worker) % rooms.len()];
                    gateway.publish_with_id(room, settings, &format!("{worker}-{n}"));
                }
            });
        }
    });
}

#[test]
fn every_worker_sees_all_rooms_with_history_in_the_order_of_their_offsets() {
    let gateway = Gateway::new(WORKERS);
    storm(&gateway, &["a", "b", "c"], keeping(10_000));
    for worker in 0..WORKERS {
        let seen = offsets(&gateway.messages(worker));
        assert_eq!(seen, (1..=(WORKERS * EACH) as u64).collect::<Vec<_>>());
    }
}

#[test]
fn every_worker_sees_a_room_without_history_in_one_order() {
    let gateway = Gateway::new(WORKERS);
    storm(&gateway, &["a"], RoomSettings::default());
    let ids = |worker| {
        gateway
            .messages(worker)
            .iter()
            .map(|m| m.id.clone())
            .collect::<Vec<_>>()
    };
    let first = ids(0);
    assert_eq!(first.len(), WORKERS * EACH);
    for worker in 1..WORKERS {
        assert_eq!(ids(worker), first);
    }
}

#[test]
fn a_publishers_own_messages_keep_their_order() {
    let gateway = Gateway::new(WORKERS);
    storm(&gateway, &["a"], RoomSettings::default());
    let messages = gateway.messages(0);
    for publisher in 0..WORKERS {
        let prefix = format!("{publisher}-");
        let own: Vec<_> = messages
            .iter()
            .filter(|m| m.id.starts_with(&prefix))
            .collect();
        let wanted: Vec<_> = (0..EACH).map(|n| format!("{publisher}-{n}")).collect();
        assert!(
            own.iter()
                .map(|m| &*m.id)
                .eq(wanted.iter().map(String::as_str))
        );
    }
}

#[test]
fn an_id_that_many_publish_at_once_is_stored_once() {
    let gateway = Gateway::new(WORKERS);
    let (room, settings) = (room("a"), keeping(10));
    gateway.subscribe(0, &room, settings);
    let start = Barrier::new(WORKERS);
    let receipts: Vec<_> = std::thread::scope(|scope| {
        let publish = || {
            start.wait();
            gateway.publish_with_id(&room, settings, "same")
        };
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(publish)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        receipts.iter().filter(|receipt| !receipt.duplicate).count(),
        1
    );
    assert!(receipts.iter().all(|receipt| offset(receipt) == 1));
    assert_eq!(offsets(&gateway.messages(0)), [1]);
}

#[test]
fn what_comes_after_a_subscription_is_greater_than_its_offset() {
    let gateway = Gateway::new(2);
    let (quiet, busy, settings) = (room("quiet"), room("busy"), keeping(10));
    gateway.subscribe(0, &busy, settings);
    gateway.publish(&busy, settings);
    let joined = gateway.subscribe(1, &quiet, settings);
    assert_eq!(joined.offset, 1);
    assert_eq!(offset(&gateway.publish(&quiet, settings)), 2);
    assert_eq!(offsets(&gateway.messages(1)), [2]);
}

#[test]
fn a_worker_without_members_in_a_room_gets_nothing_of_it() {
    let gateway = Gateway::new(2);
    let (room, settings) = (room("a"), keeping(10));
    gateway.subscribe(0, &room, settings);
    gateway.subscribe(0, &room, settings);
    gateway.subscribe(1, &room, settings);
    sluice_backbone::Backbone::unsubscribe(&gateway.memory, 0, &room);
    gateway.publish(&room, settings);
    assert!(gateway.take(0).is_empty());
    assert_eq!(offsets(&gateway.messages(1)), [1]);
}

#[test]
fn a_room_with_a_worker_that_is_far_behind_takes_no_messages() {
    let gateway = Gateway::new(1);
    let (room, settings) = (room("a"), keeping(10));
    gateway.subscribe(0, &room, settings);
    gateway
        .workers
        .full
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let refused = sluice_backbone::Backbone::publish(&gateway.memory, publication(&room, settings));
    assert_eq!(
        now(refused).unwrap_err(),
        sluice_backbone::Error::Overloaded
    );
    assert!(gateway.kept(&room).is_empty());
}

#[test]
fn a_room_takes_so_many_messages_a_second_and_duplicates_besides() {
    let gateway = Gateway::new(1);
    let settings = RoomSettings {
        messages_per_second: Some(1),
        ..keeping(10)
    };
    let room = room("a");
    // The second may turn between two publications, but not twice.
    let publish = || {
        let publication = publication(&room, settings);
        now(sluice_backbone::Backbone::publish(
            &gateway.memory,
            publication,
        ))
    };
    gateway.publish_with_id(&room, settings, "first");
    let refused = (0..4).filter(|_| publish().is_err()).count();
    assert!(refused >= 1);
    assert!(gateway.publish_with_id(&room, settings, "first").duplicate);
}

#[test]
fn what_a_member_missed_belongs_behind_what_its_worker_has_still_to_read() {
    let gateway = Gateway::new(1);
    let (x, b) = (room("x"), room("b"));
    for room in [&x, &b] {
        gateway.subscribe(0, room, keeping(100));
        gateway.publish(room, keeping(100));
    }
    gateway.workers.busy.store(true, Ordering::Relaxed);
    gateway.publish(&x, keeping(100));
    let joined = gateway.memory.subscribe(0, &b, &keeping(100));
    let member = Reader {
        session: stranger(),
        read: None,
        connected: true,
    };
    let missed = gateway
        .memory
        .missed(0, &[bookmark(&b, keeping(100), 0)], member);
    gateway.publish(&x, keeping(100));
    let mut read = 0;
    let mut turns = Vec::new();
    for event in gateway.take(0) {
        match event {
            BackboneEvent::Room(message) => read = message.offset(),
            BackboneEvent::Completion(completion) => {
                completion.give();
                turns.push(read);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        turns,
        [3, 3],
        "behind what was accepted before, and before the rest"
    );
    assert_eq!(later(joined).unwrap().offset, 3);
    let missed = later(missed).unwrap();
    assert_eq!(
        (offsets(&missed.messages), missed.through),
        (vec![2], vec![3])
    );
}
