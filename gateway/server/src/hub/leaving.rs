//! How sessions end, and what they leave behind for a while.

use std::{rc::Rc, time::Duration};

use serde::Serialize;
use sluice_net::Cause;

use super::{Encoded, Hub, Outlet, Session, room::Room, timers::Timer};
use crate::drain::{Closed, Move};

/// How long presence shows a user whose connection was lost.
const PRESENCE_GRACE: Duration = Duration::from_secs(15);

/// The same where the client said that it goes away (close code 1001): a page that is left.
const GOING_AWAY_GRACE: Duration = Duration::from_secs(1);

/// The most sessions of one worker that wait to be recovered; the oldest go first.
const MAX_DETACHED: usize = 65_536;

impl Hub {
    /// A session's connection has ended.
    pub(crate) fn disconnected(&self, session: &Rc<Session>, cause: Cause) {
        if session.ended.get() || session.is_detached() {
            return;
        }
        self.counters.closed(cause);
        let policy = self.policy();
        let user = session.user();
        tracing::debug!(session = %session.id, %user, %cause, "a connection ended");
        if policy
            .backend
            .as_ref()
            .is_some_and(|backend| backend.tell_on_disconnect)
        {
            self.shared.backend.disconnected(session.who(), cause);
        }
        if cause.recoverable() && !policy.recovery_window.is_zero() {
            self.detach(session, cause);
        } else {
            self.finish(session);
        }
    }

    /// Keeps the session for a client that comes back.
    fn detach(&self, session: &Rc<Session>, cause: Cause) {
        self.exit(session);
        *session.outlet.borrow_mut() = Outlet::Detached;
        self.counters.detached.add(1);
        for membership in &*session.rooms.borrow() {
            membership.room.remove(membership.index.get());
            self.unsubscribe_if_empty(&membership.room);
        }
        let detachment = self.detachments.get().wrapping_add(1);
        self.detachments.set(detachment);
        session.detachment.set(detachment);
        let grace = if cause == Cause::Client(1001) {
            GOING_AWAY_GRACE
        } else {
            PRESENCE_GRACE
        };
        self.schedule(grace, Timer::Absent(session.id, detachment));
        self.schedule(
            self.policy().recovery_window,
            Timer::Expire(session.id, detachment),
        );
        self.bound_detached(session, detachment);
    }

    fn bound_detached(&self, session: &Session, detachment: u32) {
        let mut detached = self.detached.borrow_mut();
        detached.push_back((session.id, detachment));
        if detached.len() <= MAX_DETACHED {
            return;
        }
        let oldest = detached.pop_front();
        drop(detached);
        if let Some((id, detachment)) = oldest {
            self.expire(id, detachment);
        }
    }

    /// A session was not recovered in time.
    pub(super) fn expire(&self, id: sluice_rooms::SessionId, detachment: u32) {
        let Some(session) = self.session(id) else {
            return;
        };
        if session.is_detached() && session.detachment.get() == detachment {
            self.absent(id, detachment);
            self.forget(&session);
        }
    }

    /// A session is away for so long that presence says so.
    pub(super) fn absent(&self, id: sluice_rooms::SessionId, detachment: u32) {
        let Some(session) = self.session(id) else {
            return;
        };
        let away = session.is_detached() && session.detachment.get() == detachment;
        if away && session.present.replace(false) {
            for membership in &*session.rooms.borrow() {
                self.shared
                    .backbone
                    .leave(&membership.room.key, &session.user());
            }
        }
    }

    /// Ends a session that has a connection.
    fn finish(&self, session: &Rc<Session>) {
        self.exit(session);
        for membership in session.rooms.borrow_mut().drain(..) {
            self.leave_room(session, &membership.room, membership.index.get());
        }
        *session.outlet.borrow_mut() = Outlet::Detached;
        self.forget_entry(session);
    }

    /// Takes the connection from a session whose state goes elsewhere.
    pub(super) fn detach_outlet(&self, session: &Rc<Session>, cause: Cause) {
        if session.is_detached() {
            return;
        }
        session.ended.set(true);
        self.counters.closed(cause);
        session.close(cause);
        self.exit(session);
        for membership in &*session.rooms.borrow() {
            membership.room.remove(membership.index.get());
            self.unsubscribe_if_empty(&membership.room);
        }
        *session.outlet.borrow_mut() = Outlet::Detached;
        self.counters.detached.add(1);
    }

    /// Forgets a detached session.
    pub(super) fn forget(&self, session: &Rc<Session>) {
        self.counters.detached.sub(1);
        let rooms = session.rooms.borrow_mut().drain(..).count();
        self.counters.memberships.sub(rooms as u64);
        self.forget_entry(session);
    }

    fn forget_entry(&self, session: &Session) {
        session.ended.set(true);
        self.counters.sessions.sub(1);
        self.sessions.borrow_mut().remove(&session.id);
    }

    /// Counts a connected session out of its user's.
    fn exit(&self, session: &Rc<Session>) {
        let user = session.user();
        if !session.identity.borrow().is_anonymous() {
            self.shared.backbone.exit(&user);
        }
        let mut users = self.users.borrow_mut();
        if let Some(sessions) = users.get_mut(&user) {
            sessions.retain(|other| !Rc::ptr_eq(other, session));
            if sessions.is_empty() {
                users.remove(&user);
            }
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
        if room.is_empty() {
            self.shared
                .backbone
                .unsubscribe(self.worker.index(), &room.key);
        }
    }

    /// Tells every client that the gateway drains, and how soon its connection ends.
    pub(super) fn notify(&self, reason: &'static str, within_ms: u64) {
        #[derive(Serialize)]
        struct Drain {
            reason: &'static str,
            within: u64,
        }
        for namespace in self.namespaces.borrow().values() {
            let drain = Drain {
                reason,
                within: within_ms,
            };
            let encoded = Encoded::own(&namespace.name, "drain", &drain);
            for session in self.sessions.borrow().values() {
                if Rc::ptr_eq(&session.namespace, namespace) {
                    // A client that is slow now learns it from the close.
                    let _ = session.send(&encoded);
                }
            }
        }
    }

    /// Closes up to so many connections, those that have nothing waiting first.
    pub(super) fn move_some(&self, batch: Move) -> Closed {
        let sessions = self.sessions.borrow();
        let mut open: Vec<_> = sessions
            .values()
            .filter(|s| !s.is_detached())
            .cloned()
            .collect();
        drop(sessions);
        let most = batch.most.min(open.len());
        open.sort_by_cached_key(|session| session.queued_bytes());
        for session in &open[..most] {
            session.close(batch.cause);
        }
        Closed {
            closed: most,
            left: open.len() - most,
        }
    }
}
