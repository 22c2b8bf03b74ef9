//! What is due of sessions at some time: one timer a session.
//!
//! A session with a connection waits for its token to end, and one without for its client to come
//! back; so one timer is enough, and a new one takes the place of the one before.

use std::{rc::Rc, time::Duration};

use sluice_net::{Tick, Timers};
use sluice_rooms::SessionId;

use super::{Hub, Session};

/// How long a tick is.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// What a session's timer is for.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// A detached session is no longer shown as present; it is kept for so many ticks longer.
    Absent(Tick),
    /// A detached session is no longer kept.
    Expire,
    /// A session's token, or the time to refresh it, may have run out.
    Token,
}

/// The timers of all sessions of a worker.
#[derive(Debug)]
pub(super) struct SessionTimers(Timers<(SessionId, Due)>);

impl SessionTimers {
    pub(super) fn new() -> Self {
        Self(Timers::new(TICK))
    }

    /// Has a session's token looked at after so long by the clock.
    pub(super) fn look_at_token(&self, session: &Session, after: Duration) {
        self.clear(session);
        let ticks = self.0.ticks(after);
        let timer = self.0.by_the_clock(ticks, (session.id, Due::Token));
        session.timer.set(Some(timer));
    }

    /// Has a detached session no longer shown as present after `grace`, and no longer kept after
    /// `window`. Its client cannot come back while the process is paused, so such times do not
    /// count.
    pub(super) fn await_return(&self, session: &Session, grace: Duration, window: Duration) {
        match window.checked_sub(grace) {
            Some(rest) => {
                let rest = self.0.ticks(rest);
                self.awake(session, self.0.ticks(grace), Due::Absent(rest));
            }
            None => self.awake(session, self.0.ticks(window), Due::Expire),
        }
    }

    /// Takes a session's timer back, if it has one.
    pub(super) fn clear(&self, session: &Session) {
        if let Some(timer) = session.timer.take() {
            self.0.cancel(timer);
        }
    }

    /// How many timers there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn awake(&self, session: &Session, ticks: Tick, due: Due) {
        self.clear(session);
        let timer = self.0.awake(ticks, (session.id, due));
        session.timer.set(Some(timer));
    }
}

impl Hub {
    /// Turns the wheel for ever.
    pub(crate) async fn turn(self: Rc<Self>) {
        loop {
            let due = self.timers.0.due().await;
            self.encodings.forget_unused();
            for (id, due) in due {
                if let Some(session) = self.session(id) {
                    session.timer.set(None);
                    self.fire(&session, due);
                }
            }
            self.observe_overdue();
            self.tick_attached();
        }
    }

    fn fire(&self, session: &Rc<Session>, due: Due) {
        match due {
            Due::Absent(rest) => {
                self.leave_presence(session);
                self.timers.awake(session, rest, Due::Expire);
            }
            Due::Expire => self.expire(session),
            // A token that its client refreshed during a pause is heard of in the next tick.
            Due::Token if self.timers.0.time().resumed => {
                self.timers.look_at_token(session, Duration::ZERO);
            }
            Due::Token => self.check_token(session),
        }
    }
}
