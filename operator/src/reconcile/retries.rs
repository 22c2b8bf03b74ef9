//! How long resources wait in whose way something was.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use sluice_util::{Backoff, Retries, lock};

/// The pauses after something was in the way.
const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_secs(1), Duration::from_mins(5)).spread(0.75, 1.25);

/// How often in a row something was in the way of each resource, by its identity.
#[derive(Default)]
pub(crate) struct RetryTimes(Mutex<HashMap<String, Retries>>);

impl RetryTimes {
    /// How long to wait after something was in the way: twice as long each time, and by chance a
    /// little more or less, so that what failed together does not come back together.
    pub(crate) fn pause(&self, uid: &str) -> Duration {
        let mut all = lock(&self.0);
        let retries = all.entry(uid.to_owned()).or_insert(Retries::new(BACKOFF));
        let pause = retries.delay(rand::random());
        retries.failed();
        pause
    }

    /// Nothing is in the way of a resource any more.
    pub(crate) fn went_well(&self, uid: &str) {
        lock(&self.0).remove(uid);
    }

    /// Forgets the resources that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        lock(&self.0).retain(|uid, _| is_there(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_for_each_resource_by_itself_and_begin_anew_once_it_went_well() {
        let retries = RetryTimes::default();
        let shortest = || Duration::from_millis(750)..Duration::from_millis(1250);
        assert!(shortest().contains(&retries.pause("a")));
        assert!(retries.pause("a") >= Duration::from_millis(1500));
        assert!(shortest().contains(&retries.pause("b")));
        retries.went_well("a");
        assert!(shortest().contains(&retries.pause("a")));
    }

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        let retries = RetryTimes::default();
        let longest = (0..40).map(|_| retries.pause("a")).max().unwrap();
        assert!(longest <= Duration::from_mins(5).mul_f64(1.25));
    }
}
