//! Sessions that are here for a client that is not let in, or not yet: they wait for it, as those
//! do that have lost their connection.

use std::{cell::Cell, rc::Rc};

use sluice_backbone::Record;

use super::{Hub, Session, session::Membership};

impl Hub {
    /// Has a session that was given up elsewhere wait here.
    pub(super) fn hold(self: &Rc<Self>, session: &Rc<Session>, record: &Record) {
        session.present.set(record.present);
        let rooms = self.rooms_of(session, record);
        let all = rooms.len() == record.rooms.len();
        self.counters.memberships.add(rooms.len() as u64);
        let member = |(room, from)| Membership {
            room,
            index: Cell::default(),
            from,
        };
        for membership in rooms.into_iter().map(member) {
            session.rooms.borrow_mut().push(membership);
        }
        self.add_session(session);
        self.counters.detached.add(1);
        self.wait_for_client(session);
        if !all {
            self.save_soon(session);
        }
    }

    /// Has a session wait whose client has gone while what it missed was read.
    pub(super) fn keep(self: &Rc<Self>, session: &Rc<Session>) {
        self.add_session(session);
        session.set_replay(None);
        self.take_outlet(session);
        self.wait_for_client(session);
        self.save_soon(session);
    }
}
