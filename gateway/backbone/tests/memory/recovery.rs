//! What a session missed.

use std::sync::atomic::{AtomicBool, Ordering};

use sluice_backbone::{Backbone, Error, Publication};
use sluice_rooms::{Pid, RoomSettings};

use crate::support::{Gateway, away, bookmark, keeping, now, offsets, publication, room, stranger};

#[test]
fn what_was_missed_in_several_rooms_comes_in_one_order() {
    let gateway = Gateway::new(1);
    let (a, b, other, settings) = (room("a"), room("b"), room("other"), keeping(10));
    for room in [&a, &b, &other, &b, &a, &a, &other, &b] {
        gateway.publish(room, settings);
    }
    let missed = gateway
        .missed(&[bookmark(&a, settings, 1), bookmark(&b, settings, 2)])
        .unwrap();
    assert_eq!(offsets(&missed.messages), [4, 5, 6, 8]);
    assert_eq!(missed.through, [8, 8]);
}

#[test]
fn one_room_whose_messages_are_gone_is_enough_to_say_so() {
    let gateway = Gateway::new(1);
    let (short, long) = (room("short"), room("long"));
    (0..3).for_each(|_| drop(gateway.publish(&short, keeping(2))));
    (0..3).for_each(|_| drop(gateway.publish(&long, keeping(9))));
    let from = |after| {
        [
            bookmark(&short, keeping(2), after),
            bookmark(&long, keeping(9), 4),
        ]
    };
    assert_eq!(gateway.missed(&from(0)).unwrap_err(), Error::Gone);
    assert_eq!(
        offsets(&gateway.missed(&from(1)).unwrap().messages),
        [2, 3, 5, 6]
    );
}

#[test]
fn rooms_without_history_are_not_asked() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.publish(&room, RoomSettings::default());
    let missed = gateway
        .missed(&[bookmark(&room, RoomSettings::default(), 0)])
        .unwrap();
    assert!(missed.messages.is_empty());
}

#[test]
fn a_message_that_its_publisher_did_not_want_is_not_missed_by_it() {
    let gateway = Gateway::new(1);
    let (room, settings, own) = (room("a"), keeping(9), Pid::random().session());
    let quiet = Publication {
        except: Some(own),
        ..publication(&room, settings)
    };
    now(gateway.memory.publish(quiet)).unwrap();
    gateway.publish(&room, settings);
    let bookmarks = [bookmark(&room, settings, 0)];
    assert_eq!(
        offsets(
            &now(gateway.memory.missed(0, &bookmarks, away(own)))
                .unwrap()
                .messages
        ),
        [2]
    );
    let others = now(gateway.memory.missed(0, &bookmarks, away(stranger()))).unwrap();
    assert_eq!(offsets(&others.messages), [1, 2]);
}

/// While others publish, what is missed and what a worker is given after that fit together.
#[test]
fn what_was_missed_ends_where_deliveries_begin() {
    let gateway = Gateway::new(1);
    let (rooms, settings) = ([room("a"), room("b"), room("c")], keeping(100_000));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for room in &rooms {
            let (gateway, done) = (&gateway, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    gateway.publish(room, settings);
                }
            });
        }
        let mut read = 0;
        while read < 5_000 {
            for room in &rooms {
                gateway.subscribe(0, room, settings);
            }
            let bookmarks: Vec<_> = rooms.iter().map(|r| bookmark(r, settings, read)).collect();
            let missed = gateway.missed(&bookmarks).unwrap();
            let later = gateway.messages(0);
            let fresh = later.into_iter().filter(|m| m.offset() > missed.through[0]);
            let all: Vec<_> = missed.messages.iter().cloned().chain(fresh).collect();
            let last = read + all.len() as u64;
            assert_eq!(offsets(&all), (read + 1..=last).collect::<Vec<_>>());
            read = last;
            for room in &rooms {
                gateway.memory.unsubscribe(0, room);
            }
            let left = gateway.messages(0);
            read = left
                .last()
                .map_or(read, |message| message.offset().max(read));
        }
        done.store(true, Ordering::Relaxed);
    });
}
