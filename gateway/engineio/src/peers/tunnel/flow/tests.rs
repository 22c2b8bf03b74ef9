use super::*;

fn marks(received: u64, written: u64) -> Marks {
    Marks { received, written }
}

#[test]
fn no_more_is_sent_than_the_window_until_it_is_written_on() {
    let (mut flow, now) = (Flow::default(), Instant::now());
    assert_eq!(flow.room() as u64, WINDOW);
    assert_eq!(flow.send(WINDOW as usize, now), (0, marks(0, 0)));
    assert_eq!(flow.room(), 0);
    flow.acknowledged(marks(WINDOW, 0), now).unwrap();
    assert_eq!(flow.room(), 0);
    flow.acknowledged(marks(WINDOW, 10), now).unwrap();
    assert_eq!(flow.room(), 10);
    assert_eq!(flow.send(10, now).0, WINDOW);
}

#[test]
fn bytes_that_leave_a_gap_or_exceed_the_window_are_noticed() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, 10, now).unwrap();
    assert_eq!(flow.data(11, 1, now), Err(Broken::Gap));
    assert_eq!(flow.data(9, 1, now), Err(Broken::Gap));
    assert_eq!(flow.data(10, WINDOW as usize, now), Err(Broken::Gap));
    flow.wrote(10, now);
    assert_eq!(flow.data(10, WINDOW as usize, now), Ok(()));
}

#[test]
fn nothing_follows_an_end_and_nothing_is_missing_before_it() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, 10, now).unwrap();
    assert_eq!(flow.ended(11, now), Err(Broken::Gap));
    assert_eq!(flow.ended(10, now), Ok(()));
    assert!(!flow.has_all());
    flow.wrote(10, now);
    assert!(flow.has_all());
    assert_eq!(flow.data(10, 1, now), Err(Broken::Gap));
}

#[test]
fn what_cannot_have_been_received_is_not_believed() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.send(10, now);
    for wrong in [marks(11, 0), marks(5, 6)] {
        assert_eq!(flow.acknowledged(wrong, now), Err(Broken::Impossible));
    }
    flow.acknowledged(marks(10, 5), now).unwrap();
    assert_eq!(
        flow.acknowledged(marks(10, 4), now),
        Err(Broken::Impossible)
    );
    assert_eq!(flow.acknowledged(marks(10, 5), now), Ok(()));
}

#[test]
fn bytes_must_arrive_in_time_but_may_wait_to_be_written() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.send(10, now);
    assert_eq!(flow.overdue(now), None);
    assert_eq!(flow.overdue(now + PATIENCE), Some(Broken::Unanswered));
    flow.acknowledged(marks(10, 0), now).unwrap();
    assert_eq!(flow.overdue(now + PATIENCE * 100), None);
    assert_eq!(flow.wake_at(), None);
}

#[test]
fn each_arrival_gives_the_rest_more_time() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.send(10, now);
    let later = now + PATIENCE / 2;
    flow.acknowledged(marks(5, 5), later).unwrap();
    assert_eq!(flow.overdue(now + PATIENCE), None);
    assert_eq!(flow.overdue(later + PATIENCE), Some(Broken::Unanswered));
}

#[test]
fn acknowledgements_travel_with_bytes_or_wait_a_little() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, 10, now).unwrap();
    flow.wrote(10, now);
    assert_eq!(flow.answer(now), None);
    assert_eq!(flow.answer(now + DELAY), Some(marks(10, 10)));
    assert_eq!((flow.answer(now + DELAY), flow.wake_at()), (None, None));
    flow.data(10, 10, now).unwrap();
    assert_eq!(flow.send(1, now).1, marks(20, 10));
    assert_eq!(flow.answer(now + DELAY), None);
}

#[test]
fn a_good_part_of_the_window_is_given_back_at_once() {
    let now = Instant::now();
    let mut flow = Flow::default();
    let quarter = WINDOW / 4;
    flow.data(0, quarter as usize, now).unwrap();
    flow.wrote(quarter as usize, now);
    assert_eq!(flow.answer(now), Some(marks(quarter, quarter)));
}

#[test]
fn an_end_that_the_other_direction_does_not_follow_is_not_waited_for() {
    let now = Instant::now();
    let (mut one, mut other) = (Flow::default(), Flow::default());
    other.ended(one.end(now), now).unwrap();
    assert_eq!(one.room(), 0);
    for flow in [one, other] {
        assert_eq!(flow.overdue(now), None);
        assert_eq!(flow.overdue(now + PATIENCE), Some(Broken::Lingers));
    }
}
