//! What an engine does by itself: heartbeats, and parcels from other workers.

use std::{
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use bytes::Bytes;
use sluice_net::{Cause, Connection, Flow, Tick, heartbeat::Action};

use super::Engine;
use crate::{application::Application, peers::Parcel, remote::Mailbox, sid::Sid};

/// An Engine.IO ping as a WebSocket frame.
const PING: Bytes = Bytes::from_static(b"\x81\x012");

/// How long a client may take from the probe of a WebSocket to the upgrade, as in the JavaScript
/// server; less where heartbeats are quicker.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// A WebSocket that has not become its session's transport, and until when it may.
pub(super) struct Probe {
    sid: Sid,
    connection: Weak<Connection>,
    /// In ticks awake, which may wrap around.
    until: Tick,
}

impl<A: Application> Engine<A> {
    pub(super) async fn tick(self: Rc<Self>) {
        loop {
            for slot in self.timers.due().await {
                self.beat(slot);
            }
            self.end_probes();
        }
    }

    /// Has a probe end if it does not lead to an upgrade in time.
    pub(super) fn watch_probe(&self, sid: Sid, connection: &Rc<Connection>) {
        let config = &self.terms().config;
        let patience = UPGRADE_TIMEOUT.min(config.ping_interval + config.ping_timeout);
        let connection = Rc::downgrade(connection);
        let time = self.timers.time();
        let probe = Probe {
            sid,
            connection,
            until: time.awake.wrapping_add(self.timers.ticks(patience)),
        };
        self.probes.borrow_mut().push_back(probe);
    }

    fn end_probes(&self) {
        let awake = self.timers.time().awake;
        let mut probes = self.probes.borrow_mut();
        let over = |probe: &mut Probe| awake.wrapping_sub(probe.until) < Tick::MAX / 2;
        while let Some(probe) = probes.pop_front_if(over) {
            let (session, connection) = (self.session(probe.sid), probe.connection.upgrade());
            if let (Some(session), Some(connection)) = (session, connection)
                && session.probes(&connection)
            {
                connection.close(Cause::ConnectTimeout);
            }
        }
    }

    fn beat(&self, slot: u32) {
        let Some(session) = self.sessions.borrow().get(slot as usize).cloned() else {
            return;
        };
        session.timer.set(None);
        let mut beat = session.beat.get();
        if session.is_paused() {
            // Its answer may be among what is not read.
            beat.answered();
        }
        let action = beat.fire(session.terms.rhythm, self.timers.time(), || {
            session.has_unread()
        });
        session.beat.set(beat);
        let again = match action {
            Action::Dead => return session.close(Cause::Heartbeat),
            Action::Wait(ticks) => ticks,
            Action::Ping(_) if session.is_stuck() => {
                return session.close(Cause::SlowConsumer);
            }
            Action::Ping(ticks) => {
                session.send_frame(PING);
                if let Flow::Break(cause) = self.app.beat(&session) {
                    return session.close(cause);
                }
                ticks
            }
        };
        if session.ended().is_none() {
            let timer = self.timers.by_the_clock(again, slot);
            session.timer.set(Some(timer));
        }
    }

    pub(super) async fn receive(self: Rc<Self>, mut mailbox: Mailbox) {
        let mut parcels = VecDeque::new();
        loop {
            mailbox.0.receive(&mut parcels).await;
            while let Some(parcel) = parcels.pop_front() {
                self.unpack(parcel);
            }
        }
    }

    /// Ends a session whose client went away before it got an answer.
    pub(super) fn lose(&self, sid: Sid) {
        if let Some(session) = self.session(sid) {
            self.end(&session, Cause::Lost);
        }
    }

    fn unpack(self: &Rc<Self>, parcel: Parcel) {
        match parcel {
            Parcel::Probe {
                sid,
                stream,
                leftover,
                deflate,
            } => {
                self.carried(sid, *stream, &leftover, deflate);
            }
            Parcel::Tunnel {
                sid,
                tunnel,
                deflate,
                reply,
            } => {
                let _ = reply.send(self.tunnelled(sid, tunnel, deflate));
            }
            Parcel::Lost { sid } => self.lose(sid),
            Parcel::Post { sid, body, reply } => self.posted(sid, body, reply),
            Parcel::Poll { sid, mut reply } => {
                let engine = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    let answer = tokio::select! {
                        answer = engine.poll_here(sid) => answer,
                        // The client went away: dropping the poll ends its session.
                        () = reply.closed() => return,
                    };
                    if reply.send(answer).is_err() {
                        engine.lose(sid);
                    }
                });
            }
        }
    }
}
