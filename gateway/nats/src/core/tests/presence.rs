use std::time::Duration;

use sluice_backbone::Error;
use sluice_rooms::{PresenceMode, RoomSettings};

use super::bus::{Bus, announced, bounded, later, lose_one, now, pending, poll, room};
use crate::core::Core;

#[test]
fn every_gateway_with_members_sees_all_of_them() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(1, "ann");
    bus.run_seconds(2);
    for node in 0..3 {
        assert_eq!(bus.view(node), ["ann", "bob"]);
    }
    bus.leave(0, "ann");
    bus.run_seconds(1);
    assert_eq!(bus.view(1), ["ann", "bob"]);
    bus.leave(1, "ann");
    bus.run_seconds(1);
    assert_eq!(bus.view(0), ["bob"]);
}

#[test]
fn members_are_told_once_who_comes_and_goes_elsewhere() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.run_seconds(2);
    assert_eq!(bus.news(0), ["+ann"]);
    bus.join(1, "bob");
    bus.join(1, "bob");
    bus.run_seconds(3);
    assert_eq!(bus.news(0), ["+bob"]);
    bus.leave(1, "bob");
    bus.run_seconds(1);
    assert!(bus.news(0).is_empty());
    bus.leave(1, "bob");
    bus.run_seconds(1);
    assert_eq!(bus.news(0), ["-bob"]);
}

#[test]
fn who_was_there_before_is_no_news_to_a_gateway_that_comes() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(5);
    bus.join(2, "cem");
    assert_eq!(
        bus.view(2),
        ["ann", "bob", "cem"],
        "whoever asks learns of all"
    );
    bus.run_seconds(5);
    assert_eq!(bus.news(2), ["+cem"]);
    bus.join(0, "dan");
    bus.run_seconds(1);
    assert_eq!(bus.news(2), ["+dan"]);
}

#[test]
fn whoever_is_not_in_the_list_of_a_member_that_comes_is_announced_to_it() {
    for ticks in 0..15 {
        let mut bus = Bus::new(2);
        bus.join(1, "bob");
        bus.run_seconds(2);
        bus.join(0, "ann");
        let listed = bus.view(0);
        (0..ticks).for_each(|_| bus.tick());
        bus.join(1, "cem");
        bus.run_seconds(3);
        assert_eq!(listed, ["ann", "bob"]);
        assert!(
            bus.news(0).contains(&"+cem".to_owned()),
            "after {ticks} ticks"
        );
    }
}

#[test]
fn a_member_that_comes_waits_for_a_gateway_that_does_not_answer() {
    let mut bus = Bus::new(3);
    bus.join(1, "bob");
    bus.run_seconds(2);
    bus.loss = lose_one("_INBOX", 2, 0);
    bus.join(0, "ann");
    let mut answer = pending(bus.members(0));
    bus.run_seconds(1);
    let members = poll(&mut answer).unwrap().unwrap();
    assert_eq!(members.count, 2);
}

#[test]
fn whoever_has_no_member_asks_the_others() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    assert_eq!(bus.view(2), ["ann", "bob"]);
    let nobody = bus.act(2, |core, at, out| {
        core.members(at, &sluice_rooms::RoomKey::new("/", "other"), 9, out)
    });
    assert_eq!(later(nobody).unwrap().count, 0);
}

#[test]
fn a_gateway_alone_answers_at_once() {
    let mut bus = Bus::new(1);
    bus.join(0, "ann");
    assert_eq!(now(bus.members(0)).unwrap().count, 1);
}

#[test]
fn the_members_of_a_gateway_that_dies_leave_once_after_the_bound() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(1, "ann");
    bus.run_seconds(2);
    bus.news(0);
    bus.kill(1);
    bus.run(Duration::from_secs(8));
    assert!(bus.news(0).is_empty());
    bus.run_seconds(20);
    assert_eq!(bus.news(0), ["-bob"]);
    assert_eq!(bus.view(0), ["ann"]);
}

#[test]
fn a_user_who_comes_back_through_another_gateway_was_never_away() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(2);
    bus.news(0);
    bus.kill(1);
    bus.run_seconds(2);
    bus.join(2, "bob");
    bus.run_seconds(20);
    assert!(bus.news(0).is_empty());
    assert_eq!(bus.view(0), ["ann", "bob"]);
}

#[test]
fn the_members_of_a_gateway_that_says_bye_have_time_to_come_back() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(1, "cem");
    bus.run_seconds(2);
    bus.news(0);
    bus.act(1, Core::bye);
    for user in ["bob", "cem"] {
        bus.leave(1, user);
    }
    bus.run_seconds(3);
    bus.join(2, "bob");
    bus.run_seconds(20);
    assert_eq!(bus.news(0), ["-cem"]);
}

#[test]
fn a_full_room_is_full_for_all_gateways() {
    let mut bus = Bus::new(2);
    later(bus.join_as(0, "ann", bounded(2))).unwrap();
    later(bus.join_as(0, "ann", bounded(2))).unwrap();
    bus.run_seconds(2);
    assert_eq!(
        later(bus.join_as(1, "bob", bounded(2))),
        Err(Error::RoomFull)
    );
    assert_eq!(now(bus.join_as(0, "bob", bounded(2))), Err(Error::RoomFull));
    bus.leave(0, "ann");
    bus.tick();
    assert_eq!(later(bus.join_as(1, "bob", bounded(2))), Ok(()));
    assert_eq!(
        later(bus.join_as(1, "cem", bounded(2))),
        Err(Error::RoomFull)
    );
    bus.tick();
    assert_eq!(now(bus.join_as(0, "cem", bounded(2))), Err(Error::RoomFull));
}

#[test]
fn a_join_that_nobody_waits_for_any_more_does_not_happen() {
    let mut bus = Bus::new(2);
    bus.loss = lose_one("_INBOX", 1, 0);
    drop(pending(bus.join_as(0, "ann", bounded(2))));
    bus.run_seconds(2);
    assert!(bus.view(0).is_empty());
}

#[test]
fn a_room_whose_members_are_nobodys_business_is_not_spoken_of() {
    let mut bus = Bus::new(2);
    bus.sent.clear();
    let off = RoomSettings {
        presence: PresenceMode::Off,
        ..RoomSettings::default()
    };
    now(bus.join_as(0, "ann", off)).unwrap();
    bus.run_seconds(3);
    bus.leave(0, "ann");
    bus.run_seconds(3);
    assert!(
        bus.sent
            .iter()
            .all(|(_, subject, _)| !subject.contains("pres"))
    );
}

#[test]
fn a_room_whose_settings_change_while_it_has_members_follows_them() {
    let mut bus = Bus::new(2);
    let off = RoomSettings {
        presence: PresenceMode::Off,
        ..RoomSettings::default()
    };
    bus.join(1, "bob");
    bus.run_seconds(2);
    now(bus.join_as(0, "ann", off)).unwrap();
    bus.run_seconds(2);
    assert_eq!(bus.news(1), ["+bob"]);
    let set = |bus: &mut Bus, settings| {
        bus.act(0, |core, at, out| {
            drop(core.subscribe(at, (0, &room()), &settings, out));
        });
        bus.run_seconds(2);
    };
    set(&mut bus, announced());
    assert_eq!(bus.news(1), ["+ann"]);
    assert_eq!(bus.view(0), ["ann", "bob"]);
    bus.news(0);
    bus.join(1, "cem");
    bus.run_seconds(1);
    assert_eq!(bus.news(0), ["+cem"]);
    set(&mut bus, off);
    bus.join(1, "dan");
    bus.run_seconds(1);
    assert!(bus.news(0).is_empty());
}

#[test]
fn a_member_that_comes_back_does_not_hide_a_bounded_room() {
    let mut bus = Bus::new(2);
    let settings = |members| RoomSettings {
        presence: PresenceMode::Off,
        members,
        ..RoomSettings::default()
    };
    later(bus.join_as(0, "ann", settings(Some(2)))).unwrap();
    // Who was a member before is not turned away.
    now(bus.join_as(0, "bob", settings(None))).unwrap();
    bus.run_seconds(2);
    let third = later(bus.join_as(1, "cem", settings(Some(2))));
    assert_eq!(third, Err(Error::RoomFull));
    let sizes = bus.nodes[0].core.member_stats(&[]);
    assert_eq!(sizes.members, 2);
}

#[test]
fn stats_count_members_here_and_sizes_everywhere() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(1, "bob");
    bus.run_seconds(2);
    let stats = bus.nodes[0].core.member_stats(&[1, 10]);
    assert_eq!(
        (stats.rooms, stats.members, stats.sizes),
        (1, 1, vec![0, 1, 0])
    );
}
