//! Whether the server still lives.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// So many times a server may leave the question whether it lives unanswered.
const MISSES: u32 = 2;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Ask the server whether it lives.
    Ask,
    /// The server does not answer.
    Stale,
}

/// Asks the server at intervals, and counts how often it stayed silent.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Interval,
    unanswered: u32,
}

impl Pulse {
    pub(super) fn new(every: Duration) -> Self {
        let mut interval = interval_at(tokio::time::Instant::now() + every, every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            interval,
            unanswered: 0,
        }
    }

    /// The server sent something, or was not listened to.
    pub(super) fn excuse(&mut self) {
        self.unanswered = 0;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Beat> {
        self.interval.poll_tick(cx).map(|_| self.beat())
    }

    fn beat(&mut self) -> Beat {
        if self.unanswered >= MISSES {
            return Beat::Stale;
        }
        self.unanswered += 1;
        Beat::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_leaves_two_questions_unanswered_is_gone() {
        let mut pulse = Pulse::new(Duration::from_secs(1));
        assert_eq!((pulse.beat(), pulse.beat()), (Beat::Ask, Beat::Ask));
        pulse.excuse();
        assert_eq!((pulse.beat(), pulse.beat()), (Beat::Ask, Beat::Ask));
        assert_eq!(pulse.beat(), Beat::Stale);
    }
}
