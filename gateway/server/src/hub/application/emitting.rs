//! What instances emit, to clients.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sluice_applications::Emission;
use sluice_net::Cause;
use sluice_socketio::Client;

use super::{
    super::{Encoded, Hub, Outlet, Session},
    Awaited,
};

/// How long an answer is waited for where nobody says how long.
const LONGEST: Duration = Duration::from_hours(1);

impl Hub {
    /// Emits what is encoded to a session, unless it is volatile and something waits already.
    pub(super) fn emit_encoded(session: &Session, encoded: &Encoded, volatile: bool) {
        if !volatile || session.queued_bytes() == 0 {
            session.send_or_close(encoded);
        }
    }

    /// Emits to a session what its client is to answer: `answered` is called with the JSON array
    /// and the attachments of the answer, and dropped where there will be none.
    pub(super) fn emit_question(
        &self,
        session: &Rc<Session>,
        emission: &Emission,
        array: &str,
        answered: impl FnOnce(&str, Vec<Bytes>) + 'static,
    ) {
        let outlet = session.outlet.borrow();
        let Outlet::SocketIo(carrier) = &*outlet else {
            // Clients of the plain protocol have no way to answer.
            return;
        };
        let namespace = &session.namespace.name;
        let Some(id) = Client::expect(carrier, namespace, answered) else {
            return;
        };
        let ttl = match emission.ttl {
            0 => LONGEST,
            ttl => Duration::from_millis(ttl).min(LONGEST),
        };
        let packet =
            sluice_socketio::packet::event_of(namespace, Some(id), array, &emission.attachments);
        if packet.try_send(carrier).is_err() {
            carrier.close(Cause::SlowConsumer);
        }
        drop(outlet);
        let mut awaited = self.attached.awaited.borrow_mut();
        let new = Awaited {
            until: Instant::now() + ttl,
            session: Rc::downgrade(session),
            id,
        };
        // Most have the same patience, so that the place is at the end.
        let place = awaited.partition_point(|other| other.until <= new.until);
        awaited.insert(place, new);
    }

    /// Forgets the answers whose time is over.
    pub(super) fn forget_unanswered(&self) {
        let now = Instant::now();
        loop {
            let due = self
                .attached
                .awaited
                .borrow_mut()
                .pop_front_if(|first| first.until <= now);
            let Some(due) = due else {
                return;
            };
            let Some(session) = due.session.upgrade() else {
                continue;
            };
            if let Outlet::SocketIo(carrier) = &*session.outlet.borrow() {
                Client::forget(carrier, due.id);
            }
        }
    }
}
