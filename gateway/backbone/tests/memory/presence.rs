//! Who is in a room, and who is told.

use std::sync::Arc;

use sluice_backbone::{Backbone, BackboneEvent, Error};
use sluice_rooms::{PresenceMode, RoomKey, RoomSettings};

use crate::support::{Gateway, announced, now, room};

type News = (RoomKey, Vec<Arc<str>>, Vec<Arc<str>>);

fn join(
    gateway: &Gateway,
    room: &RoomKey,
    user: &str,
    settings: RoomSettings,
) -> Result<(), Error> {
    now(gateway.memory.join(room, &user.into(), &settings))
}

/// What a worker is told by the next tick.
fn news(gateway: &Gateway, worker: usize) -> Vec<News> {
    gateway.memory.tick();
    let news = |event| match event {
        BackboneEvent::Presence(room, news) => (room, news.joined.clone(), news.left.clone()),
        other => panic!("only presence should come, not {other:?}"),
    };
    gateway.take(worker).into_iter().map(news).collect()
}

fn names(users: &[&str]) -> Vec<Arc<str>> {
    users.iter().map(|user| Arc::from(*user)).collect()
}

#[test]
fn who_came_and_went_is_announced_once_to_every_worker_with_members() {
    let gateway = Gateway::new(3);
    let room = room("a");
    gateway.subscribe(0, &room, announced());
    gateway.subscribe(2, &room, announced());
    for user in ["bob", "ann", "ann"] {
        join(&gateway, &room, user, announced()).unwrap();
    }
    let joined = vec![(room.clone(), names(&["ann", "bob"]), names(&[]))];
    assert_eq!(news(&gateway, 0), joined);
    assert_eq!(news(&gateway, 2), joined);
    assert!(gateway.take(1).is_empty());
    gateway.memory.leave(&room, &"ann".into());
    assert_eq!(news(&gateway, 0), []);
    gateway.memory.leave(&room, &"ann".into());
    assert_eq!(news(&gateway, 0), [(room, names(&[]), names(&["ann"]))]);
}

#[test]
fn who_leaves_and_returns_between_two_ticks_was_never_away() {
    let gateway = Gateway::new(1);
    let room = room("a");
    gateway.subscribe(0, &room, announced());
    join(&gateway, &room, "ann", announced()).unwrap();
    news(&gateway, 0);
    gateway.memory.leave(&room, &"ann".into());
    join(&gateway, &room, "ann", announced()).unwrap();
    assert_eq!(news(&gateway, 0), []);
}

#[test]
fn a_room_that_announces_nothing_still_answers() {
    let gateway = Gateway::new(1);
    let room = room("a");
    let asked = RoomSettings {
        presence: PresenceMode::Asked,
        ..RoomSettings::default()
    };
    gateway.subscribe(0, &room, asked);
    join(&gateway, &room, "ann", asked).unwrap();
    join(&gateway, &room, "bob", asked).unwrap();
    assert_eq!(news(&gateway, 0), []);
    let members = now(gateway.memory.members(&room, 1)).unwrap();
    assert_eq!((members.users.len(), members.count), (1, 2));
}

#[test]
fn a_full_room_refuses_a_member_and_takes_one_when_another_left() {
    let gateway = Gateway::new(1);
    let room = room("a");
    let small = RoomSettings {
        members: Some(1),
        ..RoomSettings::default()
    };
    join(&gateway, &room, "ann", small).unwrap();
    assert_eq!(join(&gateway, &room, "bob", small), Err(Error::RoomFull));
    gateway.memory.leave(&room, &"ann".into());
    assert_eq!(join(&gateway, &room, "bob", small), Ok(()));
}

#[test]
fn a_leave_from_a_room_that_is_not_there_makes_none() {
    let gateway = Gateway::new(1);
    gateway.memory.leave(&room("a"), &"ann".into());
    gateway.memory.unsubscribe(0, &room("a"));
    assert_eq!(gateway.memory.stats(&[]).rooms, 0);
}

#[test]
fn an_empty_room_is_kept_until_the_last_leave_was_announced() {
    let gateway = Gateway::new(1);
    let room = room("a");
    join(&gateway, &room, "ann", announced()).unwrap();
    gateway.memory.leave(&room, &"ann".into());
    gateway.sweep();
    assert_eq!(gateway.memory.stats(&[]).rooms, 0);
    assert_eq!(now(gateway.memory.members(&room, 9)).unwrap().count, 0);
}
