//! The heartbeat of one connection of the plain protocol.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use bytes::Bytes;
use sluice_net::{
    Cause, Connection, Timer, Timers,
    heartbeat::{Action, Beat, Rhythm},
};

/// A WebSocket ping without payload.
const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// A connection that is pinged until [`Self::stop`].
pub(super) struct Pulse {
    connection: Rc<Connection>,
    beat: Cell<Beat>,
    rhythm: Rhythm,
    timer: Cell<Option<Timer>>,
}

impl Pulse {
    pub(super) fn start(
        connection: &Rc<Connection>,
        rhythm: Rhythm,
        timers: &Timers<Weak<Self>>,
    ) -> Rc<Self> {
        let pulse = Rc::new(Self {
            connection: Rc::clone(connection),
            beat: Cell::new(Beat::new(timers.time())),
            rhythm,
            timer: Cell::new(None),
        });
        let timer = timers.by_the_clock(rhythm.interval, Rc::downgrade(&pulse));
        pulse.timer.set(Some(timer));
        pulse
    }

    /// Its time has come: pings the client, waits on, or closes a connection that is dead.
    pub(super) fn fire(self: &Rc<Self>, timers: &Timers<Weak<Self>>) {
        self.timer.set(None);
        let mut beat = self.beat.get();
        if self.connection.is_paused() {
            // Its answer may be among what is not read.
            beat.answered();
        }
        let unread = || self.connection.has_unread();
        let action = beat.fire(self.rhythm, timers.time(), unread);
        self.beat.set(beat);
        let again = match action {
            Action::Dead => return self.connection.close(Cause::Heartbeat),
            Action::Wait(ticks) => ticks,
            Action::Ping(_) if self.connection.is_stuck() => {
                return self.connection.close(Cause::SlowConsumer);
            }
            Action::Ping(ticks) => {
                // A connection that cannot take two bytes is closed for another reason.
                let _ = self.connection.send_frame(PING);
                ticks
            }
        };
        let timer = timers.by_the_clock(again, Rc::downgrade(self));
        self.timer.set(Some(timer));
    }

    /// The client has answered.
    pub(super) fn answered(&self) {
        let mut beat = self.beat.get();
        beat.answered();
        self.beat.set(beat);
    }

    /// The connection has ended.
    pub(super) fn stop(&self, timers: &Timers<Weak<Self>>) {
        if let Some(timer) = self.timer.take() {
            timers.cancel(timer);
        }
    }
}
