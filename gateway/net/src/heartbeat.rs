//! Heartbeats without a timer a connection: the arithmetic of one connection's beats.

use std::time::Duration;

use crate::Tick;

/// How often a connection is pinged and how long its answer may take, in ticks of `tick` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// From one ping to the next.
    pub interval: Tick,
    /// From a ping to the end of a connection that has not answered.
    pub timeout: Tick,
}

impl Rhythm {
    /// The rhythm of `interval` and `timeout` on a wheel whose ticks last `tick`; never zero.
    pub fn new(interval: Duration, timeout: Duration, tick: Duration) -> Self {
        let ticks = |d: Duration| (d.as_millis() / tick.as_millis().max(1)).max(1) as Tick;
        Self {
            interval: ticks(interval),
            timeout: ticks(timeout),
        }
    }
}

/// A tick that is fine enough for `interval` and `timeout`: a quarter of the shorter, within
/// 10 ms and 1 s.
pub fn tick_for(interval: Duration, timeout: Duration) -> Duration {
    (interval.min(timeout) / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

/// What to do when a connection's entry in the wheel fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send a ping and look again after so many ticks.
    Ping(Tick),
    /// Nothing to send; look again after so many ticks.
    Wait(Tick),
    /// The last ping was not answered in time.
    Dead,
}

/// One connection's state: whether a ping is unanswered.
#[derive(Debug, Default, Clone, Copy)]
pub struct Beat {
    waiting: bool,
    /// Ticks from the last ping to when the wheel fires next; 0 before the first one.
    since: Tick,
}

impl Beat {
    /// The client has answered the last ping.
    pub fn answered(&mut self) {
        self.waiting = false;
    }

    /// What to do now that the connection's tick has come.
    pub fn fire(&mut self, rhythm: Rhythm) -> Action {
        let due = if self.waiting {
            rhythm.timeout
        } else {
            rhythm.interval
        };
        if self.since > 0 && self.since < due {
            let rest = due - self.since;
            self.since = due;
            return Action::Wait(rest);
        }
        if self.waiting {
            return Action::Dead;
        }
        self.waiting = true;
        self.since = rhythm.interval.min(rhythm.timeout);
        Action::Ping(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        interval: 25,
        timeout: 20,
    };

    #[test]
    fn an_answered_ping_is_followed_by_the_next_one_an_interval_later() {
        let mut beat = Beat::default();
        assert_eq!(beat.fire(RHYTHM), Action::Ping(20));
        beat.answered();
        assert_eq!(beat.fire(RHYTHM), Action::Wait(5));
        assert_eq!(beat.fire(RHYTHM), Action::Ping(20));
    }

    #[test]
    fn an_unanswered_ping_ends_the_connection_after_the_timeout() {
        let mut beat = Beat::default();
        assert_eq!(beat.fire(RHYTHM), Action::Ping(20));
        assert_eq!(beat.fire(RHYTHM), Action::Dead);
    }

    const PATIENT: Rhythm = Rhythm {
        interval: 2,
        timeout: 5,
    };

    #[test]
    fn pings_keep_the_interval_where_the_timeout_is_longer() {
        let mut beat = Beat::default();
        for _ in 0..3 {
            assert_eq!(beat.fire(PATIENT), Action::Ping(2));
            beat.answered();
        }
    }

    #[test]
    fn a_timeout_longer_than_the_interval_is_waited_for() {
        let mut beat = Beat::default();
        assert_eq!(beat.fire(PATIENT), Action::Ping(2));
        assert_eq!(beat.fire(PATIENT), Action::Wait(3));
        beat.answered();
        assert_eq!(beat.fire(PATIENT), Action::Ping(2));
        assert_eq!(beat.fire(PATIENT), Action::Wait(3));
        assert_eq!(beat.fire(PATIENT), Action::Dead);
    }

    #[test]
    fn a_rhythm_is_never_zero_ticks() {
        let rhythm = Rhythm::new(Duration::ZERO, Duration::ZERO, Duration::from_secs(1));
        assert_eq!(
            rhythm,
            Rhythm {
                interval: 1,
                timeout: 1
            }
        );
    }
}
