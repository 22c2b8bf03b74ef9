use super::*;

mod network;

fn marks(received: u64, written: u64) -> Marks {
    Marks { received, written }
}

fn bytes(count: u64) -> Bytes {
    vec![7; count as usize].into()
}

/// All frames that are to be sent now: where each begins, and how long it is.
fn frames(flow: &mut Flow, now: Instant) -> Vec<(u64, usize)> {
    std::iter::from_fn(|| flow.next(now))
        .map(|(frame, _)| match frame {
            Frame::Data(offset, bytes) => (offset, bytes.len()),
            Frame::Fin(offset) => (offset, 0),
        })
        .collect()
}

fn total(frames: &[(u64, usize)]) -> u64 {
    frames.iter().map(|(_, length)| *length as u64).sum()
}

/// A flow that has sent so many bytes.
fn sent(count: u64, now: Instant) -> Flow {
    let mut flow = Flow::default();
    flow.take(&bytes(count));
    assert_eq!(total(&frames(&mut flow, now)), count);
    flow
}

#[test]
fn no_more_is_taken_than_the_window_until_it_is_written_on() {
    let now = Instant::now();
    let mut flow = Flow::default();
    assert_eq!(flow.room() as u64, WINDOW);
    flow.take(&bytes(WINDOW));
    frames(&mut flow, now);
    assert_eq!(flow.room(), 0);
    flow.acknowledged(marks(WINDOW, 0), now).unwrap();
    assert_eq!(flow.room(), 0);
    flow.acknowledged(marks(WINDOW, 10), now).unwrap();
    assert_eq!(flow.room(), 10);
}

#[test]
fn bytes_that_exceed_the_window_are_not_taken() {
    let now = Instant::now();
    let mut flow = Flow::default();
    for (offset, count) in [(0, WINDOW + 1), (WINDOW, 1), (u64::MAX, 1)] {
        assert_eq!(flow.data(offset, bytes(count), now), Err(Broken::Excess));
    }
    assert_eq!(flow.data(0, bytes(10), now), Ok(bytes(10)));
    flow.wrote(10, now);
    assert_eq!(flow.data(10, bytes(WINDOW), now), Ok(bytes(WINDOW)));
}

#[test]
fn bytes_that_came_before_are_passed_on_once() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, bytes(10), now).unwrap();
    assert_eq!(flow.data(0, bytes(10), now), Ok(Bytes::new()));
    assert_eq!(flow.feedback(now), Some(Feedback::Ack(marks(10, 0))));
    assert_eq!(flow.data(5, bytes(10), now), Ok(bytes(5)));
}

#[test]
fn what_is_missing_is_asked_for_once_and_again_only_when_it_should_have_come() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, bytes(10), now).unwrap();
    let missing = Some(Feedback::Missing(marks(10, 0)));
    assert_eq!(flow.data(11, bytes(1), now), Ok(Bytes::new()));
    assert_eq!(flow.feedback(now), missing);
    assert_eq!(flow.data(12, bytes(1), now), Ok(Bytes::new()));
    assert_eq!(flow.feedback(now), None);
    let later = now + Duration::from_secs(1);
    assert_eq!(flow.ended(13, later), Ok(()));
    assert_eq!(flow.feedback(later), missing);
}

#[test]
fn what_is_missing_is_sent_again_at_once() {
    let now = Instant::now();
    let mut flow = sent(30, now);
    flow.missing(marks(10, 10), now).unwrap();
    assert_eq!(frames(&mut flow, now), [(10, 20)]);
    assert_eq!(flow.sent_again(), 1);
    flow.acknowledged(marks(30, 30), now).unwrap();
    // This one was overtaken.
    flow.missing(marks(10, 10), now).unwrap();
    assert_eq!(frames(&mut flow, now), []);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_and_again() {
    let mut now = Instant::now();
    let mut flow = sent(30, now);
    for _ in 0..20 {
        assert_eq!(frames(&mut flow, now), []);
        now = flow.wake_at().unwrap();
        assert_eq!(flow.tick(now), Ok(()));
        assert_eq!(frames(&mut flow, now), [(0, 30)]);
    }
    flow.acknowledged(marks(30, 0), now).unwrap();
    assert_eq!(flow.wake_at(), None);
}

#[test]
fn a_full_window_goes_again_a_part_at_a_time() {
    let now = Instant::now();
    let mut flow = sent(WINDOW, now);
    let part = WINDOW / 4;
    for n in 0..4 {
        if n == 0 {
            flow.remind();
        } else {
            flow.acknowledged(marks(part * n, part * n), now).unwrap();
        }
        let again = frames(&mut flow, now);
        assert_eq!((again[0].0, total(&again)), (part * n, part));
    }
}

#[test]
fn nothing_follows_an_end_and_nothing_is_missing_before_it() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, bytes(10), now).unwrap();
    assert_eq!(flow.ended(9, now), Err(Broken::Excess));
    assert_eq!(flow.ended(11, now), Ok(()));
    assert!(!flow.has_all());
    assert_eq!(flow.ended(10, now), Ok(()));
    assert!(!flow.has_all());
    flow.wrote(10, now);
    assert!(flow.has_all());
    assert_eq!(flow.data(10, bytes(1), now), Err(Broken::Excess));
}

#[test]
fn what_cannot_have_been_received_is_not_believed() {
    let now = Instant::now();
    let mut flow = sent(10, now);
    for wrong in [marks(11, 0), marks(5, 6), marks(u64::MAX, 0)] {
        assert_eq!(flow.acknowledged(wrong, now), Err(Broken::Impossible));
    }
    flow.acknowledged(marks(10, 5), now).unwrap();
    flow.acknowledged(marks(10, 4), now).unwrap();
    assert_eq!(flow.room() as u64, WINDOW - 5);
}

#[test]
fn an_other_end_that_has_no_room_is_asked_whether_it_has() {
    let mut now = Instant::now();
    let mut flow = sent(WINDOW, now);
    flow.acknowledged(marks(WINDOW, 0), now).unwrap();
    for _ in 0..3 {
        now = flow.wake_at().unwrap();
        flow.tick(now).unwrap();
        assert_eq!(frames(&mut flow, now), [(WINDOW, 0)]);
    }
    flow.acknowledged(marks(WINDOW, WINDOW), now).unwrap();
    assert_eq!(flow.wake_at(), None);
}

#[test]
fn an_other_end_that_was_not_heard_is_asked_whether_it_is_there() {
    let now = Instant::now();
    let (mut one, mut other) = (Flow::default(), Flow::default());
    one.remind();
    assert_eq!(frames(&mut one, now), [(0, 0)]);
    assert_eq!(other.data(0, Bytes::new(), now), Ok(Bytes::new()));
    let answer = other.feedback(now);
    assert_eq!(answer, Some(Feedback::Ack(marks(0, 0))));
    one.acknowledged(marks(0, 0), now).unwrap();
    assert_eq!(one.wake_at(), None);
}

#[test]
fn acknowledgements_travel_with_bytes_or_wait_a_little() {
    let now = Instant::now();
    let mut flow = Flow::default();
    flow.data(0, bytes(10), now).unwrap();
    flow.wrote(10, now);
    assert_eq!(flow.feedback(now), None);
    let due = flow.wake_at().unwrap();
    assert_eq!(flow.feedback(due), Some(Feedback::Ack(marks(10, 10))));
    assert_eq!((flow.feedback(due), flow.wake_at()), (None, None));
    flow.data(10, bytes(10), now).unwrap();
    flow.take(&bytes(1));
    assert_eq!(flow.next(now).unwrap().1, marks(20, 10));
    assert_eq!(flow.feedback(due), None);
}

#[test]
fn a_good_part_of_the_window_is_given_back_at_once() {
    let now = Instant::now();
    let mut flow = Flow::default();
    let quarter = WINDOW / 4;
    flow.data(0, bytes(quarter), now).unwrap();
    flow.wrote(quarter as usize, now);
    assert_eq!(
        flow.feedback(now),
        Some(Feedback::Ack(marks(quarter, quarter)))
    );
}

#[test]
fn an_end_that_the_other_direction_does_not_follow_is_not_waited_for() {
    let now = Instant::now();
    let (mut one, mut other) = (Flow::default(), Flow::default());
    one.end(now);
    assert_eq!(frames(&mut one, now), [(0, 0)]);
    other.ended(0, now).unwrap();
    assert_eq!(one.room(), 0);
    for mut flow in [one, other] {
        assert_eq!(flow.tick(now), Ok(()));
        assert_eq!(flow.tick(now + LINGER), Err(Broken::Lingers));
    }
}

#[test]
fn an_end_of_which_the_other_end_knew_is_a_good_one() {
    let now = Instant::now();
    let mut flow = Flow::default();
    assert!(!flow.settle());
    flow.end(now);
    frames(&mut flow, now);
    assert!(!flow.settle());
    flow.ended(0, now).unwrap();
    assert!(flow.settle());
    assert!(!flow.is_finished());
    flow.shut(now);
    assert!(flow.is_finished());
}
