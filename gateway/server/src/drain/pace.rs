//! How fast connections are closed. Pure arithmetic; the randomness and the time are arguments.

use std::time::Duration;

/// The longest pause between two batches.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The shortest pause; many connections go in batches and not in ever shorter pauses.
const MIN_PAUSE: Duration = Duration::from_millis(20);

/// One step of a drain: close so many, then pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) close: usize,
    pub(super) pause: Duration,
}

/// The next step of a drain that has `left` connections and `time` for them, at most `rate` a
/// second. `random` lies in 0..1.
///
/// The pause is what spreads the connections evenly over the time, shortened at random to between
/// half and all of it, so that gateways that drain together do not close in step. Where the rate
/// and the time cannot both be kept, the rate is: the deadline ends what is left.
pub(super) fn next(left: usize, time: Duration, rate: f64, random: f64) -> Step {
    if left == 0 {
        return Step {
            close: 0,
            pause: Duration::ZERO,
        };
    }
    // No gateway has more than u32::MAX connections.
    let count = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
    let wanted = count / time.as_secs_f64().max(MIN_PAUSE.as_secs_f64());
    let per_second = wanted.min(rate.max(f64::MIN_POSITIVE));
    let even = 1.0 / per_second;
    let batch = (MIN_PAUSE.as_secs_f64() / even).ceil().max(1.0).min(count);
    let jitter = 0.5 + random.clamp(0.0, 1.0) / 2.0;
    // A rate that is the bound, and not the time, is not exceeded by the jitter.
    let shortest = batch / rate.max(f64::MIN_POSITIVE);
    let pause = (batch * even * jitter).max(shortest.min(batch * even));
    let pause = Duration::from_secs_f64(pause.clamp(0.0, 1e6));
    Step {
        close: whole(batch),
        pause: pause.min(pause_bound(rate)),
    }
}

#[expect(
    clippy::cast_sign_loss,
    reason = "a batch is at least 1 and at most what is left"
)]
fn whole(batch: f64) -> usize {
    batch as usize
}

/// At most a second, unless the rate asks for less than one connection a second.
fn pause_bound(rate: f64) -> Duration {
    let one = Duration::from_secs_f64((1.0 / rate.max(1e-3)).min(1e3));
    MAX_PAUSE.max(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_connections_go_one_by_one_within_the_time() {
        let step = next(10, Duration::from_secs(5), 500.0, 1.0);
        assert_eq!(
            step,
            Step {
                close: 1,
                pause: Duration::from_millis(500)
            }
        );
        let step = next(10, Duration::from_secs(5), 500.0, 0.0);
        assert_eq!(step.pause, Duration::from_millis(250));
    }

    #[test]
    fn many_connections_go_in_batches() {
        let step = next(30_000, Duration::from_mins(1), 10_000.0, 1.0);
        assert_eq!((step.close, step.pause), (10, MIN_PAUSE));
    }

    #[test]
    fn a_lone_connection_waits_a_second_at_most() {
        assert_eq!(next(1, Duration::from_mins(1), 500.0, 1.0).pause, MAX_PAUSE);
    }

    #[test]
    fn nothing_left_is_nothing_to_do() {
        assert_eq!(next(0, Duration::from_mins(1), 500.0, 0.5).close, 0);
    }

    proptest! {
        #[test]
        fn the_rate_is_kept_and_all_are_closed(
            left in 1usize..5_000, secs in 0u64..100, rate in 1.0f64..10_000.0, seed in 0.0f64..1.0,
        ) {
            let (mut remaining, mut elapsed) = (left, Duration::ZERO);
            let window = Duration::from_secs(secs);
            while remaining > 0 {
                let step = next(remaining, window.saturating_sub(elapsed), rate, seed);
                prop_assert!(step.close >= 1 && step.close <= remaining);
                remaining -= step.close;
                elapsed += step.pause;
                let most = rate * elapsed.as_secs_f64() + 1.0;
                prop_assert!(f64::from((left - remaining) as u32) <= most * 1.01 + 1.0);
            }
        }

        #[test]
        fn a_window_that_the_rate_allows_is_kept(left in 1usize..5_000, seed in 0.0f64..1.0) {
            let window = Duration::from_mins(1);
            let (mut remaining, mut elapsed) = (left, Duration::ZERO);
            while remaining > 0 {
                let step = next(remaining, window.saturating_sub(elapsed), 1e6, seed);
                remaining -= step.close;
                elapsed += step.pause;
            }
            prop_assert!(elapsed <= window + Duration::from_secs(1));
        }
    }
}
