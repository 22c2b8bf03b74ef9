//! When a login that expires is to be used anew.

use std::time::Duration;

use sluice_util::unix_seconds;

use super::Logins;

/// The most of a login's last time in which another one is looked for.
const LAST: u64 = 600;

/// How often it is looked for then, at most and at least.
const OFTEN: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(5);

/// Watches over a login that expires at a time, so that a connection can go over to the next one
/// before the servers end it.
#[derive(Debug, Clone)]
pub struct Renewal {
    logins: Logins,
    expires: u64,
    left: u64,
}

impl Renewal {
    /// For a connection that a login of `logins` was just used for, which expires at `expires`, in
    /// seconds since 1970.
    pub fn new(logins: Logins, expires: u64) -> Self {
        let left = expires.saturating_sub(unix_seconds());
        Self {
            logins,
            expires,
            left,
        }
    }

    /// How long to wait before it is looked for the first time: until the last quarter of its time,
    /// or the last ten minutes, and somewhat longer by chance, so that not all gateways go at once.
    pub fn first(&self) -> Duration {
        let last = (self.left / 4).min(LAST);
        let spread = self.every().mul_f64(rand::random());
        Duration::from_secs(self.left - last) + spread
    }

    /// How long to wait between two looks.
    pub fn every(&self) -> Duration {
        (Duration::from_secs(self.left) / 40).clamp(OFTEN, SELDOM)
    }

    /// Whether there is a login now that lasts longer.
    pub fn is_there(&self) -> bool {
        let logins = self.logins.read().unwrap_or_default();
        let first = logins.first();
        first.is_some_and(|auth| auth.expires().is_none_or(|at| at > self.expires))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_login_is_looked_for_in_the_last_part_of_its_time() {
        let within = |left: u64| {
            let renewal = Renewal::new(Logins::default(), unix_seconds() + left);
            (renewal.first(), renewal.every())
        };
        let (first, every) = within(3_600);
        assert!(first >= Duration::from_secs(2_990) && first < Duration::from_secs(3_010));
        assert_eq!(every, SELDOM);
        let (first, every) = within(8);
        assert!(first < Duration::from_secs(8) && every == OFTEN);
        assert!(within(0).0 < Duration::from_secs(1));
    }
}
