//! How sessions of an application end.

use std::{rc::Rc, sync::Arc};

use sluice_applications::Instance;
use sluice_contract::application::{Close, Entry, Gone};
use sluice_net::Cause;

use super::{
    super::{Hub, Outlet, Session},
    Attached,
    casting::CLOSED,
};

impl Hub {
    /// The connection of an attached session has ended, and the session with it.
    pub(in crate::hub) fn disconnected_attached(&self, session: &Rc<Session>, cause: Cause) {
        let Some(attached) = session.attached() else {
            return;
        };
        self.counters.closed(cause);
        self.note_state("ended", session, cause.name());
        if cause.recoverable() {
            self.keep_absent(session, attached);
        }
        if let Some(instance) = attached.instance() {
            let gone = Gone {
                reason: reason(cause),
                cause: cause.name(),
            };
            let json = serde_json::to_vec(&gone).unwrap_or_default();
            let entry = Entry::new("gone").number(attached.handle).body(&json);
            // An instance that takes nothing more loses its sessions.
            let _ = instance.say(0, &entry);
        }
        let unanswered = attached.owed() as u64;
        self.counters.never_answered.add(unanswered);
        let undelivered = self.drop_held(attached);
        self.forget_pressure(attached);
        self.counters.undelivered_events.add(undelivered);
        self.forget_attached(session, attached);
        self.finish(session);
    }

    /// Nothing of a session is known here any more.
    pub(super) fn forget_attached(&self, session: &Session, attached: &Attached) {
        let known = self
            .attached
            .by_handle
            .borrow_mut()
            .remove(&attached.handle);
        self.counters.attached.sub(known.map_or(0, |_| 1));
        self.attached
            .namespace(&session.namespace.name)
            .remove(session, attached);
        // What is dropped with these may look at the session.
        drop(attached.unanswered.take());
        drop(attached.take_early());
        attached.instance.take();
    }

    /// The application ends a session, or the whole connection.
    pub(super) fn close_attached(
        &self,
        session: &Rc<Session>,
        close: Close,
        by: Option<&Arc<Instance>>,
    ) {
        if close.connection
            && let Outlet::SocketIo(carrier) = &*session.outlet.borrow()
        {
            carrier.close(Cause::Client(1000));
            return;
        }
        let own = session
            .attached()
            .filter(|attached| by.is_some_and(|by| attached.is_of(by)));
        if let Some(attached) = own {
            // Whoever closes it knows.
            attached.instance.take();
        }
        session.close(CLOSED);
        if !session.ended.get() {
            self.disconnected_attached(session, CLOSED);
        }
    }
}

/// What Socket.IO's server calls it.
fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Left => "client namespace disconnect",
        Cause::Disconnected | Cause::Revoked | Cause::Replaced => "server namespace disconnect",
        Cause::Heartbeat => "ping timeout",
        Cause::Lost | Cause::Client(_) => "transport close",
        Cause::Protocol(_) => "parse error",
        _ => "forced server close",
    }
}
