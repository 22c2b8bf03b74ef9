//! Which instances live. No input, output or clock.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use sluice_contract::application::InstanceBeat;

/// How long an instance may be silent, and how long where all are silent together: then it may be
/// the network.
const SILENCE: (Duration, Duration) = (Duration::from_millis(2_500), Duration::from_secs(6));

/// How long an instance's main loop may stand still, in milliseconds.
const BLOCKED: u64 = 15_000;

#[derive(Debug)]
struct Known {
    beat: InstanceBeat,
    heard: Instant,
    /// Sessions that it was given since it last said how many it has.
    given: u64,
}

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It said so.
    Ended,
    /// It was not heard for too long.
    Silent,
    /// It beats, and its main loop stands still.
    Blocked,
}

/// The instances of an application, by what they say of themselves.
#[derive(Debug, Default)]
pub(crate) struct Roster(FxHashMap<Box<str>, Known>);

impl Roster {
    /// An instance was heard. What became of it, if it says that it has ended.
    pub(crate) fn heard(&mut self, beat: InstanceBeat, now: Instant) -> Option<Fate> {
        if beat.bye {
            return self.0.remove(&beat.instance).map(|_| Fate::Ended);
        }
        let known = Known {
            heard: now,
            given: 0,
            beat,
        };
        self.0.insert(known.beat.instance.clone(), known);
        None
    }

    /// The connection is back: nobody could be heard before.
    pub(crate) fn connected(&mut self, now: Instant) {
        for known in self.0.values_mut() {
            known.heard = now;
        }
    }

    /// Those that are not to be reckoned with any more.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<(Box<str>, Fate)> {
        let silent = |known: &Known| now.duration_since(known.heard);
        let all = self.0.values().all(|known| silent(known) > SILENCE.0);
        let patience = if all { SILENCE.1 } else { SILENCE.0 };
        let fate = |known: &Known| {
            if silent(known) > patience {
                Some(Fate::Silent)
            } else {
                (known.beat.tick > BLOCKED).then_some(Fate::Blocked)
            }
        };
        let gone = self.0.extract_if(|_, known| fate(known).is_some());
        let gone: Vec<_> = gone.collect();
        gone.into_iter()
            .map(|(id, known)| (id, fate(&known).unwrap_or(Fate::Silent)))
            .collect()
    }

    /// Whether it takes sessions.
    pub(crate) fn takes(&self, instance: &str) -> bool {
        self.0
            .get(instance)
            .is_some_and(|known| !known.beat.leaving)
    }

    /// Whether it is about to end and still there.
    pub(crate) fn leaves(&self, instance: &str) -> bool {
        self.0.get(instance).is_some_and(|known| known.beat.leaving)
    }

    /// An instance for one more session: of the own zone, if there is one, and the one with fewer
    /// sessions of two that chance names. `open` says with whom there is a stream.
    pub(crate) fn pick(
        &mut self,
        zone: Option<&str>,
        open: impl Fn(&str) -> bool,
        mut random: impl FnMut(usize) -> usize,
    ) -> Option<Box<str>> {
        let takes = |known: &&Known| !known.beat.leaving && open(&known.beat.instance);
        let near = |known: &&Known| zone.is_some() && known.beat.zone.as_deref() == zone;
        let mut candidates: Vec<_> = self.0.values().filter(takes).filter(near).collect();
        if candidates.is_empty() {
            candidates = self.0.values().filter(takes).collect();
        }
        if candidates.is_empty() {
            return None;
        }
        let one = candidates[random(candidates.len())];
        let other = candidates[random(candidates.len())];
        let load = |known: &Known| known.beat.sessions + known.given;
        let better = if load(other) < load(one) { other } else { one };
        let picked = better.beat.instance.clone();
        if let Some(known) = self.0.get_mut(&picked) {
            known.given += 1;
        }
        Some(picked)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(instance: &str, sessions: u64) -> InstanceBeat {
        InstanceBeat {
            instance: instance.into(),
            sessions,
            ..InstanceBeat::default()
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_falls_silent_alone_is_gone_before_those_that_do_so_together() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        roster.heard(beat("a", 0), now);
        roster.heard(beat("b", 0), now);
        roster.heard(beat("b", 0), now + secs(2));
        assert_eq!(roster.tick(now + secs(3)), [("a".into(), Fate::Silent)]);
        assert_eq!(roster.tick(now + secs(7)), [], "nobody else is heard");
        assert_eq!(roster.tick(now + secs(9)), [("b".into(), Fate::Silent)]);
    }

    #[test]
    fn silence_does_not_count_while_nobody_could_be_heard() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        roster.heard(beat("a", 0), now);
        roster.connected(now + secs(60));
        assert_eq!(roster.tick(now + secs(61)), []);
    }

    #[test]
    fn a_main_loop_that_stands_still_is_told_from_a_dead_process() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        let blocked = |tick| InstanceBeat {
            tick,
            ..beat("a", 0)
        };
        roster.heard(blocked(15_000), now);
        assert_eq!(roster.tick(now), []);
        roster.heard(blocked(15_001), now);
        assert_eq!(roster.tick(now), [("a".into(), Fate::Blocked)]);
    }

    #[test]
    fn sessions_go_to_the_own_zone_and_there_to_whoever_has_fewer() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        let at = |instance, sessions, zone: &str| InstanceBeat {
            zone: Some(zone.into()),
            ..beat(instance, sessions)
        };
        roster.heard(at("far", 0, "b"), now);
        roster.heard(at("near", 100, "a"), now);
        let any = |_: &str| true;
        assert_eq!(roster.pick(Some("a"), any, |_| 0).as_deref(), Some("near"));
        let mut all = Vec::new();
        roster.heard(at("idle", 99, "a"), now);
        for turn in 0..8 {
            let turns = std::cell::Cell::new(turn);
            let random = |most| {
                let turn = turns.get();
                turns.set(turn + 1);
                turn % most
            };
            all.push(roster.pick(Some("a"), any, random));
        }
        let idle = all
            .iter()
            .filter(|id| id.as_deref() == Some("idle"))
            .count();
        assert!(
            (4..8).contains(&idle),
            "those that were given count: {all:?}"
        );
    }

    #[test]
    fn who_leaves_or_has_no_stream_takes_no_session() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        roster.heard(beat("open", 5), now);
        roster.heard(beat("closed", 0), now);
        roster.heard(
            InstanceBeat {
                leaving: true,
                ..beat("leaving", 0)
            },
            now,
        );
        for random in 0..3 {
            let picked = roster.pick(None, |id| id != "closed", |most| random % most);
            assert_eq!(picked.as_deref(), Some("open"));
        }
        assert_eq!(
            (roster.takes("leaving"), roster.leaves("leaving")),
            (false, true)
        );
    }
}
