use super::bus::{Bus, later};

fn name(n: usize) -> String {
    format!("user {n:05} {}", "x".repeat(200))
}

#[test]
fn a_large_room_is_counted_and_named_again_when_it_is_smaller() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.run_seconds(2);
    bus.news(0);
    (0..1_001).for_each(|n| bus.join(1, &name(n)));
    bus.run_seconds(2);
    assert!(
        bus.news(0).len() <= 1,
        "nothing is announced but the first that came"
    );
    let members = later(bus.members(0)).unwrap();
    assert_eq!(members.count, 1_002);
    assert_eq!(members.users, ["ann".into()]);
    bus.join(1, "ann");
    bus.run_seconds(2);
    // Where not all are named, a user of two gateways counts twice.
    assert_eq!(later(bus.members(0)).unwrap().count, 1_003);
    (799..1_001).for_each(|n| bus.leave(1, &name(n)));
    bus.run_seconds(2);
    assert_eq!(later(bus.members(0)).unwrap().count, 801);
    bus.leave(1, &name(0));
    bus.run_seconds(2);
    assert_eq!(bus.view(0).len(), 799);
    assert!(
        bus.news(0).is_empty(),
        "whoever was only counted is no news"
    );
    bus.join(1, "bob");
    bus.run_seconds(1);
    assert_eq!(bus.news(0), ["+bob"]);
}

#[test]
fn many_names_come_in_several_messages_of_bounded_size() {
    let mut bus = Bus::new(2);
    let odd = |n: usize| format!("{n}{}", "\u{1}".repeat(250));
    (0..1_000).for_each(|n| bus.join(1, &odd(n)));
    bus.run_seconds(2);
    bus.join(0, "ann");
    bus.run_seconds(2);
    assert_eq!(bus.view(0).len(), 1_001);
    let longest = bus.sent.iter().map(|(_, _, len)| *len).max().unwrap();
    assert!((100_000..256 * 1024).contains(&longest), "{longest}");
    assert_eq!(bus.news(0), ["+ann"]);
}

#[test]
fn a_change_of_very_many_is_told_as_a_whole() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(2);
    bus.news(0);
    let odd = |n: usize| format!("{n}{}", "\u{1}".repeat(250));
    (0..900).for_each(|n| bus.join(1, &odd(n)));
    bus.run_seconds(1);
    assert_eq!(bus.view(0).len(), 902);
    assert_eq!(bus.news(0).len(), 900);
}
