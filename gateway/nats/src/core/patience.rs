//! Not asking again before an answer could be there.

use std::time::{Duration, Instant};

/// How long whoever is asked has time to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// When somebody was last asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience(Option<Instant>);

impl Patience {
    /// Patience with something that was asked for at that time, if it ever was.
    pub(crate) fn since(asked: Option<Instant>) -> Self {
        Self(asked)
    }

    /// Whether it is time to ask; counts as asked then.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        let over = |asked| now.saturating_duration_since(asked) >= PATIENCE;
        let over = self.0.is_none_or(over);
        if over {
            self.0 = Some(now);
        }
        over
    }
}

/// Whether a time has come.
pub(crate) fn is_due(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_again_before_they_could_answer() {
        let (mut patience, now) = (Patience::default(), Instant::now());
        assert!(patience.is_over(now));
        assert!(!patience.is_over(now + PATIENCE / 2));
        assert!(patience.is_over(now + PATIENCE));
    }
}
