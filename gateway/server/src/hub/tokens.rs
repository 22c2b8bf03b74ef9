//! Tokens that run out while their connection goes on.

use std::time::Duration;

use sluice_net::Cause;
use sluice_util::unix_seconds;

use super::{Hub, Session};

/// How far ahead a look at a token is scheduled. Tokens end by the time of day, which may be set,
/// and the policy may change how long a connection outlives one.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl Hub {
    /// Has the session end when its token does, and the client's time to refresh it: the token
    /// that it came with, or one that it has since.
    pub(super) fn watch_token(&self, session: &Session) {
        let expires_at = session.identity.borrow().expires_at();
        if expires_at == u64::MAX {
            return self.timers.clear(session);
        }
        let left = self.token_ends(expires_at).saturating_sub(unix_seconds());
        let soon = Duration::from_secs(left).min(LOOK_EVERY);
        self.timers.look_at_token(session, soon);
    }

    /// Seconds for which a connection outlives its token: at least the leeway, or a client would
    /// be let in with a token that ends its connection at once, again and again.
    fn token_grace(&self) -> u64 {
        let policy = self.policy.borrow();
        let leeway = policy
            .auth
            .tokens
            .as_ref()
            .map(|tokens| tokens.rules().leeway);
        policy
            .auth
            .refresh_grace
            .max(leeway.unwrap_or_default())
            .as_secs()
    }

    /// When a connection ends whose token does so at `expires_at`, in seconds as that is.
    fn token_ends(&self, expires_at: u64) -> u64 {
        expires_at.saturating_add(self.token_grace())
    }

    /// Closes a session whose token has run out, or looks again when the token it has by now does.
    pub(super) fn check_token(&self, session: &Session) {
        let expires_at = session.identity.borrow().expires_at();
        if self.token_ends(expires_at) <= unix_seconds() {
            return session.close(Cause::TokenExpired);
        }
        self.watch_token(session);
    }
}
