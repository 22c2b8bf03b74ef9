//! Heartbeats without a timer a connection: the arithmetic of one connection's beats.

use std::time::Duration;

use crate::{Tick, Time};

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

/// One connection's state: when it was pinged, and whether it has answered.
///
/// A ping is due by the clock, since its client counts so: one that is overdue after a pause goes
/// at once, whether or not the last one was answered. Those after it keep to the rhythm from before
/// the pause, or the connections of a worker would all be pinged in the same tick from then on. The
/// client's time to answer is counted awake, and nobody is dead as long as something is unread, up
/// to twice the timeout.
#[derive(Debug, Default, Clone, Copy)]
pub struct Beat {
    /// When the last ping was due, by the clock.
    pinged: Tick,
    /// The first ping that was not answered, in ticks awake.
    asked: Tick,
    waiting: bool,
}

impl Beat {
    /// A connection that begins, whose client counts from now.
    pub fn new(time: Time) -> Self {
        Self {
            pinged: time.now,
            ..Self::default()
        }
    }

    /// The client has answered the last ping.
    pub fn answered(&mut self) {
        self.waiting = false;
    }

    /// What to do now that the connection's tick has come. Only where it looks dead is asked
    /// whether something of it is `unread`.
    pub fn fire(&mut self, rhythm: Rhythm, time: Time, unread: impl FnOnce() -> bool) -> Action {
        let since = time.now.wrapping_sub(self.pinged);
        let to_ping = rhythm.interval.saturating_sub(since);
        if to_ping == 0 && (time.resumed || !self.waiting) {
            if !self.waiting {
                self.asked = time.awake;
            }
            self.waiting = true;
            let late = if time.resumed {
                since % rhythm.interval
            } else {
                0
            };
            self.pinged = time.now.wrapping_sub(late);
            return Action::Ping(rhythm.timeout.min(rhythm.interval - late));
        }
        if !self.waiting {
            return Action::Wait(to_ping);
        }
        let waited = time.awake.wrapping_sub(self.asked);
        if waited < rhythm.timeout {
            let patience = rhythm.timeout - waited;
            return Action::Wait(if to_ping > 0 {
                patience.min(to_ping)
            } else {
                patience
            });
        }
        let last_chance = waited < rhythm.timeout.saturating_mul(2) && unread();
        if time.resumed || last_chance {
            return Action::Wait(1);
        }
        Action::Dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Rhythm = Rhythm {
        interval: 25,
        timeout: 20,
    };

    /// A connection whose wheel fires when it asked for, unless the process was paused.
    struct Watched {
        rhythm: Rhythm,
        time: Time,
        beat: Beat,
        unread: bool,
    }

    impl Watched {
        fn new(rhythm: Rhythm) -> Self {
            let time = Time::default();
            Self {
                rhythm,
                time,
                beat: Beat::new(time),
                unread: false,
            }
        }

        /// What is done when so many ticks have passed.
        fn after(&mut self, ticks: Tick) -> Action {
            self.time.now += ticks;
            self.time.awake += ticks;
            self.time.resumed = false;
            self.fire()
        }

        /// The same where they passed in a pause.
        fn after_a_pause(&mut self, ticks: Tick) -> Action {
            self.time.now += ticks;
            self.time.awake += 1;
            self.time.resumed = true;
            self.fire()
        }

        fn fire(&mut self) -> Action {
            self.beat.fire(self.rhythm, self.time, || self.unread)
        }
    }

    #[test]
    fn an_answered_ping_is_followed_by_the_next_one_an_interval_later() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        client.beat.answered();
        assert_eq!(client.after(20), Action::Wait(5));
        assert_eq!(client.after(5), Action::Ping(20));
    }

    #[test]
    fn an_unanswered_ping_ends_the_connection_after_the_timeout() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        assert_eq!(client.after(20), Action::Dead);
    }

    const PATIENT: Rhythm = Rhythm {
        interval: 2,
        timeout: 5,
    };

    #[test]
    fn pings_keep_the_interval_where_the_timeout_is_longer() {
        let mut client = Watched::new(PATIENT);
        for _ in 0..3 {
            assert_eq!(client.after(2), Action::Ping(2));
            client.beat.answered();
        }
    }

    #[test]
    fn a_timeout_longer_than_the_interval_is_waited_for() {
        let mut client = Watched::new(PATIENT);
        assert_eq!(client.after(2), Action::Ping(2));
        assert_eq!(client.after(2), Action::Wait(3));
        client.beat.answered();
        assert_eq!(client.after(3), Action::Ping(2));
        assert_eq!(client.after(2), Action::Wait(3));
        assert_eq!(client.after(3), Action::Dead);
    }

    #[test]
    fn a_ping_that_is_overdue_after_a_pause_goes_at_once() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after_a_pause(27), Action::Ping(20));
        client.beat.answered();
        assert_eq!(client.after(20), Action::Wait(3));
        assert_eq!(client.after(3), Action::Ping(20));
    }

    #[test]
    fn pings_that_were_spread_before_a_pause_are_spread_after_it() {
        let mut next = Vec::new();
        for began in 0..25 {
            let mut client = Watched::new(RHYTHM);
            client.time.now = began;
            client.beat = Beat::new(client.time);
            let mut look = match client.after_a_pause(100 - began) {
                Action::Ping(look) => look,
                other => panic!("a ping is overdue: {other:?}"),
            };
            client.beat.answered();
            while let Action::Wait(more) = client.after(look) {
                look = more;
            }
            next.push(client.time.now % 25);
        }
        next.sort_unstable();
        next.dedup();
        assert_eq!(next.len(), 25);
    }

    #[test]
    fn whoever_was_asked_before_a_pause_is_asked_again_after_it_and_has_its_patience() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        assert_eq!(client.after_a_pause(30), Action::Ping(20));
        assert_eq!(
            client.after(19),
            Action::Dead,
            "20 ticks awake since it was asked"
        );
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        assert_eq!(client.after_a_pause(30), Action::Ping(20));
        client.beat.answered();
        assert_eq!(client.after(20), Action::Ping(20));
    }

    #[test]
    fn a_ping_that_is_due_before_the_patience_ends_is_not_late_for_it() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        assert_eq!(client.after_a_pause(21), Action::Wait(4));
        client.beat.answered();
        assert_eq!(client.after(4), Action::Ping(20));
    }

    #[test]
    fn nobody_is_dead_in_the_tick_after_a_pause() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        client.time.awake += 19;
        client.time.now += 19;
        client.unread = true;
        assert_eq!(client.after_a_pause(2), Action::Wait(1));
        client.unread = false;
        assert_eq!(client.after(1), Action::Dead);
    }

    #[test]
    fn nobody_is_dead_before_what_it_sent_is_read_but_for_who_sends_all_the_time() {
        let mut client = Watched::new(RHYTHM);
        assert_eq!(client.after(25), Action::Ping(20));
        client.unread = true;
        assert_eq!(client.after(20), Action::Wait(1));
        client.beat.answered();
        assert_eq!(client.after(1), Action::Wait(4));
        assert_eq!(client.after(4), Action::Ping(20));
        for _ in 20..40 {
            assert!(matches!(client.after(1), Action::Wait(_)));
        }
        client.time.awake += 19;
        client.time.now += 19;
        assert_eq!(client.after(1), Action::Dead);
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
