//! What an engine does by itself: heartbeats, and parcels from other workers.

use std::{collections::VecDeque, rc::Rc};

use bytes::Bytes;
use sluice_net::{Cause, Flow, heartbeat::Action};
use tokio::time::MissedTickBehavior;

use super::Engine;
use crate::{
    application::Application,
    remote::{Mailbox, Parcel},
    sid::Sid,
};

/// An Engine.IO ping as a WebSocket frame.
const PING: Bytes = Bytes::from_static(b"\x81\x012");

impl<A: Application> Engine<A> {
    pub(super) async fn tick(self: Rc<Self>) {
        let mut interval = tokio::time::interval(self.tick);
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        interval.tick().await;
        loop {
            interval.tick().await;
            let due = self.wheel().advance();
            for sid in due {
                self.beat(sid);
            }
        }
    }

    fn beat(&self, sid: Sid) {
        let Some(session) = self.session(sid) else { return };
        let mut beat = session.beat.get();
        let action = beat.fire(session.terms.rhythm);
        session.beat.set(beat);
        let again = match action {
            Action::Dead => return session.close(Cause::Heartbeat),
            Action::Wait(ticks) => ticks,
            Action::Ping(ticks) => {
                session.send_frame(PING);
                if let Flow::Break(cause) = self.app.beat(&session) {
                    return session.close(cause);
                }
                ticks
            }
        };
        self.wheel().schedule(again, sid);
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

    fn unpack(self: &Rc<Self>, parcel: Parcel) {
        match parcel {
            Parcel::Probe { sid, stream, leftover, deflate } => {
                self.carried(sid, stream, &leftover, deflate);
            }
            Parcel::Post { sid, body, reply } => {
                let _ = reply.send(self.post_here(sid, &body));
            }
            Parcel::Poll { sid, mut reply } => {
                let engine = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    tokio::select! {
                        answer = engine.poll_here(sid) => { let _ = reply.send(answer); }
                        // The client went away: dropping the poll ends its session.
                        () = reply.closed() => {}
                    }
                });
            }
        }
    }
}
