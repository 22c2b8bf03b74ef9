//! Clients that send faster than their application takes it.
//!
//! A refusal would be an answer in the application's name, so a client is paced: it is not read
//! while too much of what it sent waits, and closed so that it comes back where that lasts.

use std::rc::Rc;

use sluice_net::Cause;
use sluice_policy::ApplicationLimits;
use tokio::time::Instant;

use super::{
    super::{Hub, Session},
    Attached,
};

/// The bytes of a session's events that wait for an answer, from which on its client is not read.
const OWED: usize = 4 * 1024 * 1024;

/// The most bytes of either. Who has more came over a way that cannot be paused.
const MOST: usize = 8 * 1024 * 1024;

/// Whether a session's events find place, however slowly.
pub(super) fn has_place(attached: &Attached) -> bool {
    attached.held.borrow().bytes <= MOST && attached.owed_bytes() <= MOST
}

impl Hub {
    /// Looks after a session of which something waits.
    pub(super) fn press(&self, session: &Session, attached: &Attached) {
        let waits = !attached.held.borrow().entries.is_empty();
        if self.is_over(attached) {
            if attached.paused.get().is_none() {
                attached.paused.set(Some(Instant::now()));
                self.counters.paused.add(1);
            }
            // It may have changed its transport since.
            session.pause(true);
        } else if !waits {
            return;
        }
        if !attached.pressed.replace(true) {
            self.attached.pressed.borrow_mut().push(attached.handle);
        }
    }

    /// Reads the client again, where what waits has become less.
    pub(super) fn release_pressure(&self, session: &Session, attached: &Attached) {
        if attached.paused.get().is_some() && !self.is_over(attached) {
            attached.paused.set(None);
            self.counters.paused.sub(1);
            session.pause(false);
        }
    }

    /// A session ends that may be paused.
    pub(super) fn forget_pressure(&self, attached: &Attached) {
        if attached.paused.take().is_some() {
            self.counters.paused.sub(1);
        }
    }

    fn is_over(&self, attached: &Attached) -> bool {
        let held = attached.held.borrow().bytes;
        if held == 0 {
            return attached.owed_bytes() > OWED;
        }
        let limits = self.limits(attached);
        let all = limits.waiting / self.attached.workers.get().max(1);
        held > limits.waiting_per_session
            || attached.owed_bytes() > OWED
            || self.counters.waiting_bytes.get() as usize > all
    }

    fn limits(&self, attached: &Attached) -> ApplicationLimits {
        let policy = self.policy.borrow();
        policy.application_limits(&attached.application)
    }

    /// Tries again with those of whom something waits.
    pub(super) fn tick_pressed(self: &Rc<Self>) {
        for handle in self.attached.pressed.take() {
            let Some(session) = self.attached.by_handle(handle) else {
                continue;
            };
            let Some(attached) = session.attached() else {
                continue;
            };
            attached.pressed.set(false);
            if attached.is_connected() {
                self.let_held_go(&session, attached, &[]);
            }
            self.press(&session, attached);
            self.release_pressure(&session, attached);
            let paused = attached.paused.get();
            let patience = self.limits(attached).unread_for;
            if paused.is_some_and(|since| since.elapsed() >= patience) {
                session.pause(false);
                session.close(Cause::Overloaded);
            }
        }
    }
}
