//! Tokens that run out while their connection goes on.

use sluice_net::Cause;
use sluice_rooms::SessionId;
use sluice_util::unix_seconds;

use super::{Hub, Session, timers::Timer};

/// How far ahead a look at a token is scheduled. A timer cannot be taken back, so one that lay an
/// hour ahead would outlive its session by that: many sessions that come and go would add up.
const LOOK_EVERY_MS: u64 = 30_000;

impl Hub {
    /// Has the session end when its token does, and the client's time to refresh it.
    pub(super) fn watch_token(&self, session: &Session) {
        let expires_at = session.identity.borrow().expires_at();
        if expires_at != u64::MAX {
            self.look_at_token(session.id, expires_at);
        }
    }

    /// As [`Self::watch_token`], for a token that took the place of one that ended at `before`.
    ///
    /// A session that refreshes often must not collect timers: the one there is looks again when
    /// it finds a token that lives longer. Another is needed only where it would come too late.
    pub(super) fn watch_refreshed(&self, session: &Session, before: u64) {
        let expires_at = session.identity.borrow().expires_at();
        let known = self.looks.borrow().get(&session.id).copied();
        if session.ended.get() || expires_at >= known.unwrap_or(before) {
            return;
        }
        self.looks.borrow_mut().insert(session.id, expires_at);
        self.look_at_token(session.id, expires_at);
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

    fn look_at_token(&self, id: SessionId, expires_at: u64) {
        let grace = self.token_grace();
        let left = expires_at
            .saturating_add(grace)
            .saturating_sub(unix_seconds());
        let soon = left.saturating_mul(1000).min(LOOK_EVERY_MS);
        self.schedule_ms(soon, Timer::Token(id, expires_at));
    }

    /// Closes a session whose token has run out, or looks again when the token it has by now does.
    pub(super) fn check_token(&self, id: SessionId, looked_for: u64) {
        let Some(session) = self.session(id) else {
            return;
        };
        let known = self.looks.borrow().get(&id).copied();
        if known.is_some_and(|known| known != looked_for) {
            return;
        }
        let expires_at = session.identity.borrow().expires_at();
        let grace = self.token_grace();
        if expires_at.saturating_add(grace) <= unix_seconds() {
            return session.close(Cause::TokenExpired);
        }
        if expires_at == u64::MAX {
            self.looks.borrow_mut().remove(&id);
            return;
        }
        if expires_at != looked_for {
            self.looks.borrow_mut().insert(id, expires_at);
        }
        self.look_at_token(id, expires_at);
    }
}
