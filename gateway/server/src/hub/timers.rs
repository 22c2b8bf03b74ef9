//! What is due at some time, on one wheel.

use std::{rc::Rc, time::Duration};

use sluice_rooms::SessionId;
use tokio::time::MissedTickBehavior;

use super::Hub;

/// How long a tick of the wheel is.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// What a timer is for. The number is a session's detachment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    /// A detached session is no longer shown as present.
    Absent(SessionId, u32),
    /// A detached session is no longer kept.
    Expire(SessionId, u32),
    /// A session's token, or the time to refresh it, runs out.
    /// The number is when the token ends that was looked at.
    Token(SessionId, u64),
}

impl Hub {
    pub(super) fn schedule(&self, after: Duration, timer: Timer) {
        self.schedule_ms(after.as_millis() as u64, timer);
    }

    pub(super) fn schedule_ms(&self, after_ms: u64, timer: Timer) {
        // One tick more, so that a timer is never early.
        let ticks = after_ms.div_ceil(TICK.as_millis() as u64).saturating_add(1);
        let ticks = u32::try_from(ticks)
            .unwrap_or(u32::MAX / 2)
            .min(u32::MAX / 2);
        self.wheel.borrow_mut().schedule(ticks, timer);
    }

    /// Turns the wheel for ever.
    pub(crate) async fn turn(self: Rc<Self>) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            interval.tick().await;
            self.send_lagging();
            let due = self.wheel.borrow_mut().advance();
            for timer in due {
                self.fire(timer);
            }
            self.observe_overdue();
        }
    }

    fn fire(&self, timer: Timer) {
        match timer {
            Timer::Absent(id, detachment) => self.absent(id, detachment),
            Timer::Expire(id, detachment) => self.expire(id, detachment),
            Timer::Token(id, looked_for) => self.check_token(id, looked_for),
        }
    }
}
