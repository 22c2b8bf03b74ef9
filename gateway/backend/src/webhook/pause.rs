//! How long to wait before trying again.

use std::time::Duration;

use sluice_util::Backoff;

/// The pauses that are not the backend's own wish.
const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_millis(100), Duration::from_secs(5)).spread(0.5, 1.0);

/// The pause after the given number of tries: random between half and all of a time that doubles,
/// or longer if the backend asked for it. `random` is between 0 and 1.
pub(super) fn pause(tries: u32, random: f64, asked: Option<Duration>) -> Duration {
    let pause = BACKOFF.delay(tries.saturating_sub(1), random);
    asked.map_or(pause, |asked| asked.max(pause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let millis = |tries| pause(tries, 1.0, None).as_millis();
        assert_eq!(
            [1, 2, 3, 7, u32::MAX].map(millis),
            [100, 200, 400, 5000, 5000]
        );
    }

    #[test]
    fn a_backend_that_asks_for_more_time_gets_it() {
        let asked = Some(Duration::from_secs(9));
        assert_eq!(pause(1, 0.5, asked), Duration::from_secs(9));
    }

    proptest! {
        #[test]
        fn a_pause_is_between_half_and_all_of_its_time(tries in 1u32..20, random in 0.0f64..1.0) {
            let (pause, most) = (pause(tries, random, None), pause(tries, 1.0, None));
            prop_assert!(pause <= most && pause * 2 >= most);
        }
    }
}
