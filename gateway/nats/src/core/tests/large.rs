use std::time::Duration;

use sluice_backbone::{Error, Publication};
use sluice_rooms::{HistoryLimits, Publisher, RoomKey, RoomSettings};

use super::bus::{Bus, later, pending, poll, room};

fn publication(room: RoomKey, history: Option<HistoryLimits>, size: usize) -> Publication {
    Publication {
        room,
        settings: RoomSettings {
            history,
            ..RoomSettings::default()
        },
        event: "m".into(),
        data: format!("\"{}\"", "x".repeat(size)).into(),
        attachments: Vec::new(),
        from: None,
        publisher: Publisher::Application,
        id: None,
        except: None,
    }
}

#[test]
fn what_the_servers_do_not_take_is_refused_at_once_and_reaches_nobody() {
    let mut bus = Bus::new(2);
    bus.nodes[0].core.set_max_payload(1_000);
    let limits = HistoryLimits {
        max_messages: 10,
        max_age: Duration::from_mins(1),
    };
    for history in [None, Some(limits)] {
        let sent = bus.sent.len();
        let large = publication(room(), history, 1_000);
        let reply = bus.act(0, |core, at, out| core.publish(at, large, out));
        assert_eq!(later(reply).unwrap_err(), Error::TooLarge);
        assert_eq!(bus.sent.len(), sent, "nothing is sent");
    }
    let small = publication(room(), None, 100);
    let reply = bus.act(0, |core, at, out| core.publish(at, small, out));
    assert!(later(reply).is_ok());
}

#[test]
fn what_waited_for_servers_that_take_less_is_refused() {
    let mut bus = Bus::new(1);
    let limits = HistoryLimits {
        max_messages: 10,
        max_age: Duration::from_mins(1),
    };
    bus.disconnect(0);
    let message = publication(room(), Some(limits), 1_000);
    let mut reply = pending(bus.act(0, |core, at, out| core.publish(at, message, out)));
    bus.nodes[0].core.set_max_payload(1_000);
    bus.connect(0);
    let info = r#"{"config":{"name":"S"},"created":"2026-01-01T00:00:00Z","state":{"last_seq":0}}"#;
    bus.answer_to(0, "STREAM.INFO", "", info.as_bytes());
    let no_mark = br#"{"error":{"code":404}}"#;
    bus.answer_to(0, "STREAM.MSG.GET.SLUICE_default_chat_ROOMS", "", no_mark);
    bus.run_seconds(1);
    assert_eq!(poll(&mut reply).unwrap().unwrap_err(), Error::TooLarge);
}

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
