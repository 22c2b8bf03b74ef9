//! Whether the gateway at the other end of tunnels lives. No input, output or clock.

use std::time::Duration;

use tokio::time::Instant;

use super::super::Unreachable;

/// How long nobody must answer for a gateway until it counts as gone. One that has lost its
/// connection to the network is back sooner, if the network is there.
pub(super) const GONE_AFTER: Duration = Duration::from_millis(1_200);

/// What an answer, or none, says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::peers) enum Verdict {
    /// The other gateway lives.
    Well,
    /// The other gateway lives, and may have missed something before.
    Returned,
    /// Whether the other gateway lives is not known.
    Unknown,
    /// The other gateway is gone.
    Gone,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// It was asked, and there is no answer yet.
    asked: bool,
    /// It could not be reached the last time.
    doubtful: bool,
    /// Since when there has been nobody of its number.
    absent: Option<Instant>,
}

impl Watch {
    /// Whether to ask it now: not while it has not answered.
    pub(super) fn asks(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    /// The other gateway said something without being asked.
    pub(super) fn heard(&mut self) {
        self.absent = None;
    }

    pub(super) fn answered(&mut self, answer: Result<(), Unreachable>, now: Instant) -> Verdict {
        self.asked = false;
        match answer {
            Ok(()) => self.lives(),
            Err(Unreachable::Silent) => {
                (self.absent, self.doubtful) = (None, true);
                Verdict::Unknown
            }
            Err(Unreachable::Absent) => self.is_absent(now),
        }
    }

    fn lives(&mut self) -> Verdict {
        self.absent = None;
        if std::mem::take(&mut self.doubtful) {
            Verdict::Returned
        } else {
            Verdict::Well
        }
    }

    fn is_absent(&mut self, now: Instant) -> Verdict {
        self.doubtful = true;
        let since = *self.absent.get_or_insert(now);
        if now.duration_since(since) >= GONE_AFTER {
            Verdict::Gone
        } else {
            Verdict::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Result<(), Unreachable> = Err(Unreachable::Absent);
    const SILENT: Result<(), Unreachable> = Err(Unreachable::Silent);

    #[test]
    fn a_gateway_that_is_absent_for_a_while_is_gone() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        assert_eq!(watch.answered(Ok(()), now), Verdict::Well);
        assert_eq!(watch.answered(ABSENT, now), Verdict::Unknown);
        assert_eq!(
            watch.answered(ABSENT, now + GONE_AFTER / 2),
            Verdict::Unknown
        );
        assert_eq!(watch.answered(ABSENT, now + GONE_AFTER), Verdict::Gone);
    }

    #[test]
    fn a_gateway_that_was_heard_meanwhile_is_not() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        for sign in [Watch::heard, |watch: &mut Watch| {
            watch.answered(SILENT, Instant::now());
        }] {
            watch.answered(ABSENT, now);
            sign(&mut watch);
            assert_eq!(watch.answered(ABSENT, now + GONE_AFTER), Verdict::Unknown);
            watch.heard();
        }
    }

    #[test]
    fn silence_proves_nothing_but_something_may_be_lost() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(watch.answered(SILENT, now), Verdict::Unknown);
        }
        assert_eq!(watch.answered(Ok(()), now), Verdict::Returned);
        assert_eq!(watch.answered(Ok(()), now), Verdict::Well);
    }

    #[test]
    fn it_is_asked_once_at_a_time() {
        let mut watch = Watch::default();
        assert_eq!((watch.asks(), watch.asks()), (true, false));
        watch.answered(Ok(()), Instant::now());
        assert!(watch.asks());
    }
}
