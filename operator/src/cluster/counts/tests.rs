use super::*;
use sluice_contract::RoomCount;

type Answer = (String, Option<RoomCounts>);

fn says(gateway: &str, stores: bool, rooms: &[(&str, u64, u64)]) -> Answer {
    let rooms = rooms.iter().map(|(name, members, published)| RoomCount {
        name: (*name).into(),
        members: *members,
        published: *published,
    });
    let seen = RoomCounts {
        ok: true,
        stores,
        rooms: rooms.collect(),
    };
    (gateway.to_owned(), Some(seen))
}

fn room(last: &LastCount, name: &str) -> (i64, Option<i64>) {
    let count = last.counted.activities.as_ref().unwrap()[name];
    (count.members, count.rate)
}

fn later(last: LastCount, seconds: u64, answers: Vec<Answer>) -> LastCount {
    let now = last.asked + Duration::from_secs(seconds);
    LastCount::after(Some(last), now, answers)
}

fn first(answers: Vec<Answer>) -> LastCount {
    LastCount::after(None, Instant::now(), answers)
}

#[test]
fn members_and_rates_are_those_of_all_gateways_together() {
    let last = first(vec![
        says("a", true, &[("r", 3, 10)]),
        says("b", true, &[("r", 4, 0)]),
    ]);
    assert_eq!(room(&last, "r"), (7, None));
    let last = later(
        last,
        40,
        vec![
            says("a", true, &[("r", 3, 410)]),
            says("b", true, &[("r", 1, 400)]),
        ],
    );
    assert_eq!(room(&last, "r"), (4, Some(20)));
}

#[test]
fn a_gateway_that_started_anew_counts_from_then_on() {
    let last = first(vec![
        says("a", true, &[("r", 1, 1000)]),
        says("b", true, &[("r", 1, 0)]),
    ]);
    let answers = vec![
        says("a", true, &[("r", 1, 5)]),
        says("b", true, &[("r", 1, 40)]),
        says("c", true, &[("r", 1, 9000)]),
    ];
    assert_eq!(room(&later(last, 40, answers), "r"), (3, Some(1)));
}

#[test]
fn while_one_does_not_answer_the_numbers_stay() {
    let last = first(vec![
        says("a", true, &[("r", 3, 10)]),
        says("b", true, &[("r", 4, 0)]),
    ]);
    let last = later(
        last,
        40,
        vec![says("a", true, &[("r", 9, 99)]), ("b".to_owned(), None)],
    );
    assert_eq!(room(&last, "r"), (7, None));
    assert_eq!(last.counted.stores, Some(true));
}

#[test]
fn gateways_are_asked_again_at_once_until_one_of_them_stores() {
    let last = first(vec![says("a", false, &[]), ("b".to_owned(), None)]);
    assert_eq!(last.counted.stores, Some(false));
    assert!(last.is_due(last.asked));
    let last = later(last, 1, vec![says("a", false, &[]), says("b", true, &[])]);
    assert_eq!(last.counted.stores, Some(true));
    assert!(!last.is_due(last.asked + Duration::from_secs(29)));
    assert!(last.is_due(last.asked + EVERY));
}

#[test]
fn numbers_change_no_sooner_than_they_may() {
    let last = first(vec![says("a", false, &[("r", 1, 0)])]);
    let last = later(last, 1, vec![says("a", true, &[("r", 2, 7)])]);
    assert_eq!(room(&last, "r"), (1, None));
}

#[test]
fn nothing_is_known_where_nobody_answers() {
    let last = first(vec![("a".to_owned(), None)]);
    assert!(last.counted.stores.is_none() && last.counted.activities.is_none());
}
