//! Numbers in a status that change all the time.

/// The number that was written before, as long as the new one differs by no more than such a part.
/// That there is nothing any more is always worth writing.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is about right need not be exact beyond 2^52"
)]
pub(crate) fn steady(before: Option<i64>, now: Option<i64>, part: f64) -> Option<i64> {
    let (Some(old), Some(new)) = (before, now) else {
        return now.or(before);
    };
    let near = (old - new).abs() as f64 <= old.max(new) as f64 * part;
    Some(if near && new != 0 { old } else { new })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_about_right_stays() {
        assert_eq!(steady(Some(100), Some(102), 0.02), Some(100));
        assert_eq!(steady(Some(100), Some(103), 0.02), Some(103));
        assert_eq!(steady(Some(3), Some(4), 0.02), Some(4));
    }

    #[test]
    fn what_is_not_known_now_stays_as_it_was_known_last() {
        assert_eq!(steady(Some(7), None, 0.1), Some(7));
        assert_eq!(steady(None, Some(7), 0.1), Some(7));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(steady(Some(1), Some(0), 2.0), Some(0));
    }
}
