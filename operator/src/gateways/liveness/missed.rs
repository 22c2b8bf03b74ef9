//! Whether a gateway that answers nothing is heard of by those who listen to its fleet.

use std::collections::HashMap;

/// How often another gateway must have said that it lives, in which time this one did not. Each says
/// so once a second.
const MISSED: u32 = 3;

/// How many others are told apart.
const MOST: usize = 4_096;

/// What is heard of a fleet while one of its gateways answers nothing.
///
/// Time is counted by what others say: an operator that hears nobody knows nothing.
pub(super) struct MissedHeartbeats {
    name: String,
    /// How often each of the others was heard since this one was.
    others: HashMap<String, u32>,
}

impl MissedHeartbeats {
    /// Has heard nobody yet.
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            others: HashMap::new(),
        }
    }

    /// A gateway of the fleet says that it lives. Says what that makes of this one: whether it is
    /// lost, or `None` where that cannot be told yet.
    pub(super) fn hears(&mut self, name: &str) -> Option<bool> {
        if name == self.name {
            self.others.clear();
            return Some(false);
        }
        if self.others.len() >= MOST && !self.others.contains_key(name) {
            return None;
        }
        let times = self.others.entry(name.to_owned()).or_default();
        *times = times.saturating_add(1);
        (*times >= MISSED).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_lost_that_is_not_heard_while_another_is_three_times() {
        let mut missed = MissedHeartbeats::of("a");
        let heard: Vec<_> = (0..3).map(|_| missed.hears("b")).collect();
        assert_eq!(heard, [None, None, Some(true)]);
    }

    #[test]
    fn one_that_is_heard_is_not_and_has_the_whole_time_again() {
        let mut missed = MissedHeartbeats::of("a");
        for _ in 0..2 {
            assert_eq!(missed.hears("b"), None);
        }
        assert_eq!(missed.hears("a"), Some(false));
        for _ in 0..2 {
            assert_eq!(missed.hears("b"), None);
        }
    }

    #[test]
    fn many_others_make_it_no_sooner() {
        let mut missed = MissedHeartbeats::of("a");
        let all_once = || (0..100).map(|n| n.to_string());
        for _ in 0..2 {
            assert!(all_once().all(|name| missed.hears(&name).is_none()));
        }
    }

    #[test]
    fn of_a_fleet_without_end_no_more_are_remembered_than_there_may_be() {
        let mut missed = MissedHeartbeats::of("a");
        for n in 0..2 * MOST {
            missed.hears(&n.to_string());
        }
        assert_eq!(missed.others.len(), MOST);
    }
}
