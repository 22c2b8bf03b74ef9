//! Who is in a room, and who is told.

use std::sync::Arc;

use sluice_backbone::{Backbone, Delivery, Error};
use sluice_rooms::{PresenceMode, RoomKey, RoomSettings};

use crate::support::{Fleet, announced, now, room};

type News = (RoomKey, Vec<Arc<str>>, Vec<Arc<str>>);

fn join(fleet: &Fleet, room: &RoomKey, user: &str, settings: RoomSettings) -> Result<(), Error> {
    now(fleet.memory.join(room, &user.into(), &settings))
}

/// What a worker is told by the next tick.
fn news(fleet: &Fleet, worker: usize) -> Vec<News> {
    fleet.memory.tick();
    let news = |delivery| match delivery {
        Delivery::Presence(room, news) => (room, news.joined.clone(), news.left.clone()),
        other => panic!("only presence should come, not {other:?}"),
    };
    fleet.take(worker).into_iter().map(news).collect()
}

fn names(users: &[&str]) -> Vec<Arc<str>> {
    users.iter().map(|user| Arc::from(*user)).collect()
}

#[test]
fn who_came_and_went_is_announced_once_to_every_worker_with_members() {
    let fleet = Fleet::new(3);
    let room = room("a");
    fleet.subscribe(0, &room, announced());
    fleet.subscribe(2, &room, announced());
    for user in ["bob", "ann", "ann"] {
        join(&fleet, &room, user, announced()).unwrap();
    }
    let joined = vec![(room.clone(), names(&["ann", "bob"]), names(&[]))];
    assert_eq!(news(&fleet, 0), joined);
    assert_eq!(news(&fleet, 2), joined);
    assert!(fleet.take(1).is_empty());
    fleet.memory.leave(&room, &"ann".into());
    assert_eq!(news(&fleet, 0), []);
    fleet.memory.leave(&room, &"ann".into());
    assert_eq!(news(&fleet, 0), [(room, names(&[]), names(&["ann"]))]);
}

#[test]
fn who_leaves_and_returns_between_two_ticks_was_never_away() {
    let fleet = Fleet::new(1);
    let room = room("a");
    fleet.subscribe(0, &room, announced());
    join(&fleet, &room, "ann", announced()).unwrap();
    news(&fleet, 0);
    fleet.memory.leave(&room, &"ann".into());
    join(&fleet, &room, "ann", announced()).unwrap();
    assert_eq!(news(&fleet, 0), []);
}

#[test]
fn a_room_that_announces_nothing_still_answers() {
    let fleet = Fleet::new(1);
    let room = room("a");
    let asked = RoomSettings {
        presence: PresenceMode::Asked,
        ..RoomSettings::default()
    };
    fleet.subscribe(0, &room, asked);
    join(&fleet, &room, "ann", asked).unwrap();
    join(&fleet, &room, "bob", asked).unwrap();
    assert_eq!(news(&fleet, 0), []);
    let members = now(fleet.memory.members(&room, 1)).unwrap();
    assert_eq!((members.users.len(), members.count), (1, 2));
}

#[test]
fn a_full_room_refuses_a_member_and_takes_one_when_another_left() {
    let fleet = Fleet::new(1);
    let room = room("a");
    let small = RoomSettings {
        members: Some(1),
        ..RoomSettings::default()
    };
    join(&fleet, &room, "ann", small).unwrap();
    assert_eq!(join(&fleet, &room, "bob", small), Err(Error::RoomFull));
    fleet.memory.leave(&room, &"ann".into());
    assert_eq!(join(&fleet, &room, "bob", small), Ok(()));
}

#[test]
fn a_leave_from_a_room_that_is_not_there_makes_none() {
    let fleet = Fleet::new(1);
    fleet.memory.leave(&room("a"), &"ann".into());
    fleet.memory.unsubscribe(0, &room("a"));
    assert_eq!(fleet.memory.stats(&[]).rooms, 0);
}

#[test]
fn an_empty_room_is_kept_until_the_last_leave_was_announced() {
    let fleet = Fleet::new(1);
    let room = room("a");
    join(&fleet, &room, "ann", announced()).unwrap();
    fleet.memory.leave(&room, &"ann".into());
    fleet.sweep();
    assert_eq!(fleet.memory.stats(&[]).rooms, 0);
    assert_eq!(now(fleet.memory.members(&room, 9)).unwrap().count, 0);
}
