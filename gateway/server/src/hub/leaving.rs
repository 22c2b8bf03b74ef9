//! How sessions end, and what they leave behind for a while.

use std::{rc::Rc, time::Duration};

use sluice_net::Cause;
use sluice_rooms::SessionId;

use super::{Hub, Outlet, Session, detached::Bounds, room::Room};
use crate::backend::Who;

/// How long presence shows a user whose connection was lost.
const PRESENCE_GRACE: Duration = Duration::from_secs(15);

/// The same where the client said that it goes away (close code 1001): a page that is left.
const GOING_AWAY_GRACE: Duration = Duration::from_secs(1);

impl Hub {
    /// A session's connection has ended.
    pub(crate) fn disconnected(&self, session: &Rc<Session>, cause: Cause) {
        if session.ended.get() || session.is_detached() {
            return;
        }
        if session.attached().is_some() {
            return self.disconnected_attached(session, cause);
        }
        self.counters.closed(cause);
        self.tell_disconnected(session.who(), cause);
        let policy = self.policy();
        if cause.recoverable() && !policy.recovery_window.is_zero() {
            self.note_state("detached", session, cause.name());
            self.detach(session, cause);
        } else {
            self.note_state("ended", session, cause.name());
            self.finish(session);
        }
    }

    /// Tells the backend of a session that has no connection, if it wants to know.
    pub(super) fn tell_disconnected(&self, who: Who, cause: Cause) {
        let policy = self.policy.borrow();
        if policy
            .backend
            .as_ref()
            .is_some_and(|b| b.tell_on_disconnect)
        {
            self.shared.backend.disconnected(who, cause);
        }
    }

    /// Logs what became of a session.
    pub(super) fn note_state(&self, state: &'static str, session: &Session, cause: &'static str) {
        let user = session.user();
        tracing::debug!(session = %session.id, %user, state, cause, "a session has no connection");
        self.trace_session(state, session, None);
    }

    /// Keeps the session for a client that comes back.
    fn detach(&self, session: &Rc<Session>, cause: Cause) {
        self.exit(session);
        self.take_outlet(session);
        let grace = if cause == Cause::Client(1001) {
            GOING_AWAY_GRACE
        } else {
            PRESENCE_GRACE
        };
        self.wait_within(session, grace);
    }

    /// Has a session without a connection wait for its client.
    pub(super) fn wait_for_client(&self, session: &Rc<Session>) {
        self.wait_within(session, PRESENCE_GRACE);
    }

    fn wait_within(&self, session: &Rc<Session>, grace: Duration) {
        let window = self.policy.borrow().recovery_window;
        self.timers.await_return(session, grace, window);
        self.bound_detached(session);
    }

    /// Takes the connection from a session that keeps its rooms.
    pub(super) fn take_outlet(&self, session: &Session) {
        let delivered = self.shared.backbone.delivered();
        *session.outlet.borrow_mut() = Outlet::Detached(delivered);
        // It is read anew for a client that comes back.
        session.set_replay(None);
        self.counters.detached.add(1);
        for membership in session.rooms.borrow().iter() {
            membership.room.remove(membership.index.get());
            self.unsubscribe_if_empty(&membership.room);
        }
    }

    /// Ends sessions that wait to be recovered, where with this one there are too many: as many of
    /// one user, or address, as may be connected, or too many on this worker.
    fn bound_detached(&self, session: &Session) {
        let limits = &self.policy().limits;
        let one = if session.identity.borrow().is_anonymous() {
            limits.connections_per_ip
        } else {
            limits.connections_per_user
        };
        let bounds = Bounds {
            one: one as usize,
            all: self.max_detached.get(),
        };
        for id in self.detached.add(session.holder, session.id, bounds) {
            if let Some(surplus) = self.session(id) {
                self.note_state("expired", &surplus, "too_many");
                self.end_detached(&surplus);
            }
        }
    }

    /// A session was not recovered in time.
    pub(super) fn expire(&self, session: &Rc<Session>) {
        self.note_state("expired", session, "recovery_window");
        self.end_detached(session);
    }

    /// Presence no longer shows a session.
    pub(super) fn leave_presence(&self, session: &Session) {
        if session.present.replace(false) {
            for membership in session.rooms.borrow().iter() {
                let key = &membership.room.key;
                self.shared.backbone.leave(key, &session.user());
            }
        }
    }

    /// Ends a session that waits to be recovered.
    pub(super) fn end_detached(&self, session: &Rc<Session>) {
        self.leave_presence(session);
        self.forget(session);
        self.shared.backbone.forget(session.id);
    }

    /// A session goes on at another gateway, which shows it in its rooms. A client that is still
    /// here comes back and finds it there.
    pub(super) fn moved(&self, id: SessionId) {
        self.resuming.moved(id);
        if let Some(session) = self.session(id) {
            self.leave_presence(&session);
            self.detach_outlet(&session, Cause::Drain);
            self.forget(&session);
        }
    }

    /// Ends a session that has a connection.
    pub(super) fn finish(&self, session: &Rc<Session>) {
        self.exit(session);
        // Taken out first: what follows looks at the rooms of other sessions.
        let rooms = session.rooms.take();
        for membership in rooms {
            self.leave_room(session, &membership.room, membership.index.get());
        }
        *session.outlet.borrow_mut() = Outlet::Detached(0);
        self.forget_entry(session);
        self.shared.backbone.forget(session.id);
    }

    /// Takes the connection from a session whose state goes elsewhere.
    pub(super) fn detach_outlet(&self, session: &Rc<Session>, cause: Cause) {
        if session.is_detached() {
            return;
        }
        session.ended.set(true);
        self.counters.closed(cause);
        self.note_state("replaced", session, cause.name());
        session.close(cause);
        self.exit(session);
        self.take_outlet(session);
    }

    /// Forgets a detached session.
    pub(super) fn forget(&self, session: &Rc<Session>) {
        self.counters.detached.sub(1);
        self.detached.remove(session.holder, session.id);
        let rooms = session.rooms.take();
        self.counters.memberships.sub(rooms.len() as u64);
        self.forget_entry(session);
    }

    fn forget_entry(&self, session: &Rc<Session>) {
        session.ended.set(true);
        self.timers.clear(session);
        self.counters.sessions.sub(1);
        self.sessions.borrow_mut().remove(&session.id);
        if session.identity.borrow().is_anonymous() {
            return;
        }
        let (user, mut users) = (session.user(), self.users.borrow_mut());
        if let Some(sessions) = users.get_mut(&user) {
            sessions.retain(|other| !Rc::ptr_eq(other, session));
            if sessions.is_empty() {
                users.remove(&user);
            }
        }
    }

    /// Counts a connected session out of its user's, and keeps in mind how much it has sent.
    fn exit(&self, session: &Session) {
        let holders = &self.shared.admission.holders;
        holders.give_back(session.holder, session.bucket.get(), self.now_ms());
        let identity = session.identity.borrow();
        if !identity.is_anonymous() {
            self.shared.backbone.exit(identity.user());
        }
    }

    /// Takes a member out of a room.
    pub(super) fn leave_room(&self, session: &Session, room: &Rc<Room>, index: u32) {
        self.counters.memberships.sub(1);
        room.remove(index);
        self.shared.backbone.leave(&room.key, &session.user());
        self.unsubscribe_if_empty(room);
    }

    pub(super) fn unsubscribe_if_empty(&self, room: &Room) {
        if room.is_idle() {
            let worker = self.worker.index();
            self.shared.backbone.unsubscribe(worker, &room.key);
        }
    }
}
