use proptest::prelude::*;

use super::*;
use crate::{Epoch, Pid, Position};

const LIMITS: HistoryLimits = HistoryLimits {
    max_messages: 3,
    max_age: Duration::from_mins(1),
};

fn message(offset: u64, id: &str) -> Arc<Message> {
    Arc::new(Message {
        room: None,
        event: "e".into(),
        data: "null".into(),
        attachments: Vec::new(),
        from: None,
        id: id.into(),
        position: Some(Position {
            epoch: Epoch::from_bits(1),
            offset,
        }),
        read: None,
        time: 0,
        except: None,
        accepted: Instant::now(),
    })
}

fn filled(offsets: &[u64]) -> History {
    let mut history = History::after(0);
    for offset in offsets {
        history.append(
            message(*offset, &offset.to_string()),
            &Publisher::Application,
            &LIMITS,
        );
    }
    history
}

fn find(history: &History, publisher: &Publisher, id: &str) -> Option<u64> {
    history.find(publisher, id, Instant::now(), LIMITS.max_age)
}

fn offsets(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|m| m.offset()).collect()
}

fn page(history: &History, after: Option<u64>, before: Option<u64>, limit: usize) -> Vec<u64> {
    offsets(
        &history
            .page(Query {
                after,
                before,
                limit,
                max_bytes: None,
            })
            .messages,
    )
}

#[test]
fn a_page_ends_where_it_would_be_too_large_and_has_one_message_in_any_case() {
    let history = filled(&[1, 2, 3]);
    let one = message(1, "1").size();
    let pages: [(usize, &[u64], &[u64]); 3] = [
        (1, &[1], &[3]),
        (2 * one + 1, &[1, 2], &[2, 3]),
        (4 * one, &[1, 2, 3], &[1, 2, 3]),
    ];
    for (most, oldest, newest) in pages {
        for (after, wanted) in [(Some(0), oldest), (None, newest)] {
            let page = history.page(Query {
                after,
                limit: 10,
                max_bytes: Some(most),
                ..Query::default()
            });
            assert_eq!(offsets(&page.messages), wanted);
            assert_eq!(page.more, wanted.len() < 3);
        }
    }
}

#[test]
fn the_oldest_messages_go_first() {
    assert_eq!(page(&filled(&[2, 5, 7, 9]), None, None, 10), [5, 7, 9]);
}

#[test]
fn a_message_is_found_by_its_id_as_long_as_it_is_kept() {
    let mut history = filled(&[2, 5, 7]);
    assert_eq!(find(&history, &Publisher::Application, "2"), Some(2));
    history.append(message(9, "9"), &Publisher::Application, &LIMITS);
    assert_eq!(find(&history, &Publisher::Application, "2"), None);
}

#[test]
fn an_id_is_its_publishers() {
    let (ann, session) = (Publisher::User("ann".into()), Pid::random().session());
    let mut history = History::after(0);
    history.append(message(1, "order-18"), &ann, &LIMITS);
    assert_eq!(find(&history, &ann, "order-18"), Some(1));
    for other in [
        Publisher::Application,
        Publisher::User("bob".into()),
        Publisher::Session(session),
    ] {
        assert_eq!(find(&history, &other, "order-18"), None);
    }
    history.append(message(2, "order-18"), &Publisher::Application, &LIMITS);
    assert_eq!(find(&history, &ann, "order-18"), Some(1));
    assert_eq!(find(&history, &Publisher::Application, "order-18"), Some(2));
}

#[test]
fn a_replay_is_complete_or_refused() {
    let history = filled(&[2, 5, 7, 9]);
    assert!(matches!(history.replay(1), Replayed::Gone));
    let Replayed::Complete(messages) = history.replay(2) else {
        panic!("gone")
    };
    assert_eq!(offsets(&messages), [5, 7, 9]);
    let Replayed::Complete(messages) = history.replay(9) else {
        panic!("gone")
    };
    assert!(messages.is_empty());
}

#[test]
fn a_replay_from_before_the_rooms_first_message_is_complete() {
    let history = filled(&[2, 5]);
    assert!(matches!(history.replay(0), Replayed::Complete(m) if m.len() == 2));
}

#[test]
fn the_newest_page_is_the_default_and_after_reads_forward() {
    let history = filled(&[2, 5, 7]);
    assert_eq!(page(&history, None, None, 2), [5, 7]);
    assert_eq!(page(&history, None, Some(7), 2), [2, 5]);
    assert_eq!(page(&history, Some(2), None, 1), [5]);
    assert_eq!(page(&history, Some(2), Some(7), 9), [5]);
    assert_eq!(page(&history, Some(7), Some(2), 9), [0; 0]);
}

#[test]
fn a_page_without_a_bound_is_everything_that_is_left() {
    assert_eq!(page(&filled(&[2, 5, 7]), Some(2), None, usize::MAX), [5, 7]);
}

#[test]
fn old_messages_expire() {
    let mut history = filled(&[2, 5]);
    let later = Instant::now() + Duration::from_secs(61);
    assert!(!history.expire(later, LIMITS.max_age));
    assert!(matches!(history.replay(4), Replayed::Gone));
    assert!(matches!(history.replay(5), Replayed::Complete(m) if m.is_empty()));
    assert_eq!(history.bytes(), 0);
}

proptest! {
    /// What a history says is what a list of all messages would say, or that it is gone.
    #[test]
    fn a_history_is_the_end_of_all_messages(
        gaps in prop::collection::vec(1_u64..4, 0..12),
        after in 0_u64..40,
        before in 0_u64..40,
        limit in 0_usize..5,
    ) {
        let all: Vec<u64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let history = filled(&all);
        let kept = &all[all.len().saturating_sub(LIMITS.max_messages)..];
        let evicted = all.len() - kept.len();
        let lost = all[..evicted].iter().any(|offset| *offset > after);

        match history.replay(after) {
            Replayed::Gone => prop_assert!(lost),
            Replayed::Complete(messages) => {
                let missed: Vec<_> = all.iter().copied().filter(|o| *o > after).collect();
                prop_assert!(!lost);
                prop_assert_eq!(offsets(&messages), missed);
            }
        }
        let between: Vec<_> =
            kept.iter().copied().filter(|o| *o > after && *o < before).collect();
        let first = &between[..between.len().min(limit)];
        prop_assert_eq!(page(&history, Some(after), Some(before), limit), first);
        let query = Query { after: Some(after), limit, ..Query::default() };
        prop_assert_eq!(history.page(query).truncated, lost);
        prop_assert_eq!(history.bytes(), kept.iter().map(|o| message(*o, &o.to_string()).size()).sum::<usize>());
    }
}

#[test]
fn an_id_is_forgotten_after_two_minutes_and_where_messages_are_kept_for_less() {
    let mut history = filled(&[1]);
    let found = |history: &History, after, max_age| {
        let now = history.messages[0].accepted + after;
        history.find(&Publisher::Application, "1", now, max_age)
    };
    let hour = Duration::from_hours(1);
    assert_eq!(found(&history, DUPLICATE_WINDOW, hour), Some(1));
    let later = DUPLICATE_WINDOW + Duration::from_millis(1);
    assert_eq!(found(&history, later, hour), None);
    let second = Duration::from_secs(1);
    assert_eq!(found(&history, second, second), Some(1));
    assert_eq!(found(&history, 2 * second, second), None);
    // It is another message then, which is found also when the first one has gone.
    history.append(message(2, "1"), &Publisher::Application, &LIMITS);
    assert_eq!(find(&history, &Publisher::Application, "1"), Some(2));
    history.drop_oldest();
    assert_eq!(find(&history, &Publisher::Application, "1"), Some(2));
    history.drop_oldest();
    assert_eq!(find(&history, &Publisher::Application, "1"), None);
}
