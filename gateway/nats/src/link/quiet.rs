//! Keeps a log readable while something goes wrong over and over.

use std::time::{Duration, Instant};

const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How many different lines are told apart.
const MOST: usize = 16;

/// Says which lines are worth a warning: each at first, and then every 30 seconds.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    said: Vec<(String, Instant)>,
}

impl Quiet {
    /// Whether `line` is to be said at `now`.
    pub(super) fn is_news(&mut self, line: &str, now: Instant) -> bool {
        self.said
            .retain(|(_, at)| now.saturating_duration_since(*at) < AGAIN_AFTER);
        if self.said.iter().any(|(said, _)| said == line) || self.said.len() >= MOST {
            return false;
        }
        self.said.push((line.to_owned(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_news_once_in_a_while() {
        let (mut quiet, start) = (Quiet::default(), Instant::now());
        assert!(quiet.is_news("a", start) && quiet.is_news("b", start));
        assert!(!quiet.is_news("a", start + AGAIN_AFTER / 2));
        assert!(quiet.is_news("a", start + AGAIN_AFTER));
    }

    #[test]
    fn ever_new_lines_do_not_fill_a_log() {
        let (mut quiet, start) = (Quiet::default(), Instant::now());
        let news = (0..1000).filter(|n| quiet.is_news(&n.to_string(), start));
        assert_eq!(news.count(), MOST);
    }
}
