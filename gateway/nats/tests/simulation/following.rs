//! How one gateway follows its rooms, whatever becomes of its link and of the stream.

use sluice_rooms::Query;

use crate::{nats::Sent, scene::Scene};

/// Whether a question is for a room's own messages.
fn is_about(sent: &Sent, room: &str) -> bool {
    let payload = String::from_utf8_lossy(&sent.payload);
    payload.contains("next_by_subj") && payload.contains(&format!("in.=2F.{room}\""))
}

#[test]
fn who_joins_from_the_very_beginning_gets_the_whole_history_at_once() {
    let mut scene = Scene::new(100);
    let stored: Vec<_> = (0..5).map(|_| scene.store("a", 1, None)).collect();
    scene.join("a");
    scene.run(100);
    scene.traffic.asked.clear();
    let mut missed = scene.missed("a", 0);
    scene.run(200);
    let messages = missed.get().unwrap().messages;
    let offsets: Vec<_> = messages.iter().map(|message| message.offset()).collect();
    assert_eq!(offsets, stored);
    assert!(scene.asked("$JS") <= 3, "{:?}", scene.traffic.asked);
}

#[test]
fn who_joins_an_empty_room_from_the_very_beginning_has_all_of_it() {
    let mut scene = Scene::new(100);
    scene.store("b", 1, None);
    scene.join("a");
    scene.run(100);
    let mut missed = scene.missed("a", 0);
    scene.run(200);
    assert!(missed.get().unwrap().messages.is_empty());
}

#[test]
fn a_room_whose_messages_expire_while_it_is_caught_up_with_holds_up_no_other() {
    let mut scene = Scene::new(100);
    for room in ["a", "b"] {
        scene.join(room);
        scene.run(100);
        scene.store(room, 1, None);
    }
    scene.run(100);
    scene.disconnect();
    scene.store("a", 1, Some(1));
    let last = scene.store("a", 1, Some(1));
    let other = scene.store("b", 1, None);
    let mut stalls = 1;
    scene.ignores = Box::new(move |sent| {
        let stalls_now = stalls > 0 && is_about(sent, "a");
        stalls -= i32::from(stalls_now);
        stalls_now
    });
    scene.connect();
    assert!(scene.run_until(5_000, |scene| scene.given("b").contains(&other)));
    assert!(scene.run_until(5_000, |scene| scene.lost() == ["a"]));
    let next = scene.store("a", 1, None);
    scene.run(100);
    assert_eq!(scene.given("a").last(), Some(&next));
    assert!(!scene.given("a").contains(&last));
}

#[test]
fn a_room_that_nobody_answers_for_holds_up_no_other() {
    let mut scene = Scene::new(100);
    for room in ["a", "b"] {
        scene.join(room);
        scene.run(100);
    }
    scene.disconnect();
    let (first, other) = (scene.store("a", 1, None), scene.store("b", 1, None));
    scene.ignores = Box::new(|sent| is_about(sent, "a"));
    scene.connect();
    assert!(scene.run_until(15_000, |scene| scene.given("b") == [other]));
    assert_eq!(scene.core.unsettled().repairing, 1);
    scene.ignores = Box::new(|_| false);
    assert!(scene.run_until(5_000, |scene| scene.given("a") == [first]));
}

/// What a page of a room has, what it cost in messages and in bytes, and whether there is more.
struct Paid {
    offsets: Vec<u64>,
    truncated: bool,
    more: bool,
    answers: u64,
    bytes: u64,
}

fn read(scene: &mut Scene, room: &str, query: Query) -> Paid {
    (scene.traffic.answers, scene.traffic.bytes) = (0, 0);
    let mut answer = scene.history(room, query);
    scene.run(1_000);
    let (_, page) = answer.get().unwrap();
    Paid {
        offsets: page.messages.iter().map(|m| m.offset()).collect(),
        truncated: page.truncated,
        more: page.more,
        answers: scene.traffic.answers,
        bytes: scene.traffic.bytes,
    }
}

fn newest(limit: usize, before: Option<u64>) -> Query {
    Query {
        before,
        limit,
        ..Query::default()
    }
}

#[test]
fn a_page_of_the_newest_messages_costs_a_page_however_many_there_are() {
    let mut scene = Scene::new(1_000_000);
    let mut stored = Vec::new();
    for n in 0..5_000 {
        stored.push(scene.store("a", 1, None));
        if n % 7 == 0 {
            scene.store("b", 1, None);
        }
    }
    scene.run(100);
    for limit in [1, 2, 50, 999] {
        for before in [None, Some(stored[2_500]), Some(stored[5])] {
            let all = before.map_or(stored.len(), |before| {
                stored.partition_point(|offset| *offset < before)
            });
            let page = read(&mut scene, "a", newest(limit, before));
            assert_eq!(page.offsets, stored[all.saturating_sub(limit)..all]);
            let most = limit as u64 * 5 / 4 + 60;
            assert!(page.answers <= most, "{limit}: {}", page.answers);
        }
    }
}

#[test]
fn the_newest_messages_of_a_room_whose_rate_has_changed_are_found_as_well() {
    let mut scene = Scene::new(1_000_000);
    let mut stored: Vec<_> = (0..3_000).map(|_| scene.store("a", 1, None)).collect();
    for _ in 0..5_000 {
        scene.store("b", 1, None);
    }
    for _ in 0..40 {
        stored.push(scene.store("a", 1, None));
        (0..100).for_each(|_| _ = scene.store("b", 1, None));
    }
    scene.run(100);
    for limit in [10, 45, 400] {
        let page = read(&mut scene, "a", newest(limit, None));
        assert_eq!(page.offsets, stored[stored.len() - limit..]);
        let most = limit as u64 * 5 / 4 + 100;
        assert!(page.answers <= most, "{limit}: {}", page.answers);
    }
}

#[test]
fn a_page_stops_at_its_bytes_and_says_that_there_is_more() {
    let mut scene = Scene::new(1_000_000);
    let stored: Vec<_> = (0..1_000).map(|_| scene.store("a", 10_000, None)).collect();
    scene.run(100);
    for after in [None, Some(stored[499])] {
        let query = Query {
            after,
            limit: 1_000,
            max_bytes: Some(100_000),
            ..Query::default()
        };
        let page = read(&mut scene, "a", query);
        assert!((5..=10).contains(&page.offsets.len()), "{:?}", page.offsets);
        let first = after.map_or(stored.len() - page.offsets.len(), |_| 500);
        assert_eq!(page.offsets, stored[first..first + page.offsets.len()]);
        assert!(page.more);
        assert!(page.bytes < 400_000, "{}", page.bytes);
    }
}

#[test]
fn pages_lead_through_a_whole_history_both_ways() {
    let mut scene = Scene::new(1_000_000);
    let mut stored = Vec::new();
    for n in 0..500_usize {
        stored.push(scene.store("a", 1 + n % 5 * 300, None));
        (0..n % 3).for_each(|_| _ = scene.store("b", 1, None));
    }
    scene.run(100);
    let bounded = Query {
        limit: 64,
        max_bytes: Some(20_000),
        ..Query::default()
    };
    let (mut onward, mut after) = (Vec::new(), 0);
    while after < *stored.last().unwrap() {
        let query = Query {
            after: Some(after),
            ..bounded
        };
        let page = read(&mut scene, "a", query);
        assert!(!page.truncated);
        after = *page.offsets.last().unwrap();
        onward.extend(page.offsets);
    }
    assert_eq!(onward, stored);
    let (mut back, mut before) = (Vec::new(), None);
    while before != Some(stored[0]) {
        let mut page = read(&mut scene, "a", Query { before, ..bounded });
        before = Some(page.offsets[0]);
        page.offsets.append(&mut back);
        back = page.offsets;
    }
    assert_eq!(back, stored);
}

#[test]
fn a_page_of_an_empty_room_and_one_of_no_messages_are_empty() {
    let mut scene = Scene::new(100);
    let stored = scene.store("b", 1, None);
    for (after, before, limit) in [
        (None, None, 5),
        (None, Some(0), 5),
        (None, Some(stored), 5),
        (Some(stored), None, 5),
        (Some(0), None, 5),
        (Some(u64::MAX), None, 5),
    ] {
        let query = Query {
            after,
            before,
            limit,
            ..Query::default()
        };
        assert!(read(&mut scene, "a", query).offsets.is_empty());
    }
    for after in [None, Some(0)] {
        let query = Query {
            after,
            ..Query::default()
        };
        assert!(read(&mut scene, "b", query).offsets.is_empty());
    }
}

#[test]
fn a_page_says_whether_messages_after_the_wanted_one_are_gone() {
    let mut scene = Scene::new(10);
    let stored: Vec<_> = (0..15).map(|_| scene.store("a", 1, None)).collect();
    for (after, truncated) in [
        (0, true),
        (stored[2], true),
        (stored[5], false),
        (stored[14], false),
    ] {
        let query = Query {
            after: Some(after),
            limit: 3,
            ..Query::default()
        };
        let page = read(&mut scene, "a", query);
        assert_eq!(page.truncated, truncated, "{after}");
        let kept = stored[5..].iter().copied().filter(|offset| *offset > after);
        assert_eq!(page.offsets, kept.take(3).collect::<Vec<_>>());
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("r{n:05}")).collect()
}

/// A gateway that follows so many rooms, each of which has had a message.
fn following(rooms: &[String]) -> Scene {
    let mut scene = Scene::new(100);
    for room in rooms {
        scene.join(room);
    }
    scene.run(500);
    for room in rooms {
        scene.store(room, 1, None);
    }
    scene.run(500);
    scene
}

#[test]
fn what_many_rooms_miss_is_asked_for_once_however_long_all_of_it_takes() {
    let rooms = names(600);
    let mut scene = following(&rooms);
    let stored: Vec<_> = rooms
        .iter()
        .map(|room| scene.store_silently(room))
        .collect();
    scene.traffic.asked.clear();
    // A slow link: all answers together take longer than any one may.
    scene.pace = 2_500;
    scene.elect();
    assert!(scene.run_until(10_000, |scene| scene.given_count() == 2 * rooms.len()));
    for (room, offset) in rooms.iter().zip(stored) {
        assert_eq!(scene.given(room).last(), Some(&offset));
    }
    assert!(
        scene.asked("GET") <= rooms.len() + 200,
        "{}",
        scene.asked("GET")
    );
    assert!(scene.lost().is_empty());
}

#[test]
fn all_rooms_are_compared_with_the_stream_within_half_a_minute_whatever_came_and_went() {
    let gone = names(1_500);
    let mut scene = following(&gone);
    for room in &gone {
        scene.leave(room);
    }
    scene.run(45_000);
    for room in ["x", "y"] {
        scene.join(room);
    }
    scene.run(100);
    let stored = scene.store_silently("x");
    assert!(scene.run_until(32_000, |scene| scene.given("x") == [stored]));
}

#[test]
fn a_round_over_idle_rooms_brings_none_of_their_messages() {
    let rooms = names(600);
    let mut scene = following(&rooms);
    scene.run(40_000);
    (scene.traffic.bytes, scene.traffic.answers) = (0, 0);
    scene.traffic.asked.clear();
    scene.run(30_000);
    let asked = scene.asked("DIRECT.GET");
    assert!((1..=30).contains(&asked), "{asked}");
    assert!(scene.traffic.answers < 100, "{}", scene.traffic.answers);
}

#[test]
fn a_room_may_have_as_many_messages_as_its_stream_keeps_now() {
    let mut scene = Scene::new(100);
    scene.join("a");
    scene.run(100);
    let mut stored: Vec<_> = (0..90).map(|_| scene.store("a", 1, None)).collect();
    scene.server.rooms.per_subject = Some(1_000);
    stored.extend((0..400).map(|_| scene.store("a", 1, None)));
    scene.act(|core, at, _| core.streams_kept(at));
    scene.run(500);
    let mut missed = scene.missed("a", stored[20]);
    scene.run(500);
    assert_eq!(missed.get().unwrap().messages.len(), 469);
    let query = Query {
        after: Some(0),
        limit: 10,
        ..Query::default()
    };
    let page = read(&mut scene, "a", query);
    assert!(!page.truncated);
}

#[test]
fn catching_up_costs_what_its_own_rooms_have_missed_and_not_what_the_fleet_has_stored() {
    let rooms = names(600);
    let mut scene = following(&rooms);
    scene.disconnect();
    for n in 0..5_000 {
        scene.store(&format!("of others {}", n % 50), 100, None);
        if n % 100 == 0 {
            scene.store(&rooms[n / 100], 1, None);
        }
    }
    (scene.traffic.answers, scene.traffic.bytes) = (0, 0);
    scene.traffic.asked.clear();
    let before = scene.given_count();
    scene.connect();
    assert!(scene.run_until(2_000, |scene| scene.given_count() == before + 50));
    assert!(
        scene.asked("DIRECT.GET") < 70,
        "{}",
        scene.asked("DIRECT.GET")
    );
    assert!(scene.traffic.answers < 300, "{}", scene.traffic.answers);
    assert!(!scene.core.unsettled().apart);
    let counters = scene.core.history_counters();
    assert_eq!(
        (counters.late, counters.lost),
        (0, 0),
        "all of it comes in order"
    );
}

#[test]
fn what_many_rooms_have_missed_comes_in_the_order_of_the_stream() {
    let rooms = names(400);
    let mut scene = following(&rooms);
    scene.disconnect();
    for round in 0..5 {
        for n in 0..rooms.len() {
            scene.store(&rooms[(n * 7 + round) % rooms.len()], 1, None);
        }
    }
    let before = scene.given_count();
    scene.connect();
    assert!(scene.run_until(5_000, |scene| scene.given_count() == before + 2_000));
    let offsets = scene.given_since(before);
    assert!(offsets.is_sorted());
    assert_eq!(scene.core.history_counters().late, 0);
}

#[test]
fn who_was_away_for_longer_than_a_room_keeps_its_messages_is_told_where_any_have_gone() {
    for has_gone in [true, false] {
        let mut scene = Scene::new(100);
        scene.join_keeping("a", 5);
        scene.join("b");
        scene.run(500);
        for room in ["a", "b"] {
            scene.store(room, 1, None);
        }
        scene.run(500);
        scene.disconnect();
        if has_gone {
            scene.store("a", 1, Some(5));
        }
        let other = scene.store("b", 1, None);
        scene.run(10_000);
        scene.connect();
        assert!(scene.run_until(5_000, |scene| scene.given("b").contains(&other)));
        let told: &[&str] = if has_gone { &["a"] } else { &[] };
        assert_eq!(scene.lost(), told);
    }
}
