//! The law of the bucket.

use super::*;
use proptest::prelude::*;

#[test]
fn a_burst_of_one_second_passes_and_the_next_is_refused() {
    let mut bucket = TokenBucket::new();
    let rate = Rate::per_second(5);
    assert!((0..5).all(|_| bucket.take(1_000, rate)));
    assert!(!bucket.take(1_000, rate));
    assert_eq!(bucket.wait_ms(1_000, rate), Some(200));
    assert!(!bucket.take(1_199, rate));
    assert!(bucket.take(1_200, rate));
}

#[test]
fn a_rate_of_one_lets_one_through_a_second() {
    let mut bucket = TokenBucket::new();
    let rate = Rate::per_second(1);
    assert!(bucket.take(7, rate));
    assert!(!bucket.take(1_006, rate));
    assert!(bucket.take(1_007, rate));
}

#[test]
fn a_rate_of_zero_lets_nothing_through() {
    let mut bucket = TokenBucket::new();
    assert!(!bucket.take(u64::MAX, Rate::per_second(0)));
    assert_eq!(bucket.wait_ms(0, Rate::per_second(0)), None);
}

#[test]
fn many_are_taken_whole_or_not_at_all() {
    let mut bucket = TokenBucket::new();
    let rate = Rate::per_second(10);
    assert!(!bucket.take_many(0, rate, 11));
    assert!(bucket.take_many(0, rate, 10));
    assert!(!bucket.is_full(999));
    assert!(bucket.is_full(1_000));
}

#[test]
fn a_lowered_rate_counts_at_once() {
    let mut bucket = TokenBucket::new();
    assert!(bucket.take_many(0, Rate::per_second(100), 100));
    assert!(!bucket.take(900, Rate::per_second(1)));
    assert!(bucket.take(2_000, Rate::per_second(1)));
}

#[test]
fn the_end_of_time_does_not_overflow() {
    let mut bucket = TokenBucket::new();
    assert!(bucket.take(u64::MAX, Rate::per_second(u32::MAX)));
    let _ = bucket.wait_ms(u64::MAX, Rate::per_second(u32::MAX));
}

proptest! {
    #[test]
    fn no_window_lets_through_more_than_its_rate_and_one_burst(
        per_second in 1u32..2_000,
        steps in prop::collection::vec((0u64..400, 1u32..5), 1..300),
    ) {
        let rate = Rate::per_second(per_second);
        let (mut bucket, mut now) = (TokenBucket::new(), 0u64);
        let mut passed: Vec<(u64, u64)> = Vec::new();
        for (step, count) in steps {
            now += step;
            if bucket.take_many(now, rate, count) {
                passed.push((now, u64::from(count)));
            }
        }
        for (start, &(from, _)) in passed.iter().enumerate() {
            let mut events = 0;
            for &(at, count) in &passed[start..] {
                events += count;
                let most = (at - from) * u64::from(per_second) + 1_000 * u64::from(per_second);
                prop_assert!(events * 1_000 <= most);
            }
        }
    }

    #[test]
    fn whoever_waits_as_long_as_told_is_let_through(
        per_second in 1u32..5_000, taken in 0u32..5_000, now in 0u64..1_000_000,
    ) {
        let rate = Rate::per_second(per_second);
        let mut bucket = TokenBucket::new();
        for _ in 0..taken {
            bucket.take(now, rate);
        }
        let wait = bucket.wait_ms(now, rate).unwrap();
        prop_assert!(bucket.take(now + wait, rate));
    }

    #[test]
    fn a_clock_that_steps_back_never_lets_more_through(
        times in prop::collection::vec(0u64..2_000, 1..200),
    ) {
        let rate = Rate::per_second(20);
        let (mut jumping, mut steady) = (TokenBucket::new(), TokenBucket::new());
        let mut latest = 0;
        let (mut jumped, mut stood) = (0, 0);
        for time in times {
            latest = latest.max(time);
            jumped += u32::from(jumping.take(time, rate));
            stood += u32::from(steady.take(latest, rate));
        }
        prop_assert!(jumped <= stood);
    }
}
