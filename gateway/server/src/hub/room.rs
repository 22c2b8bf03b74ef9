//! A room on one worker: its policy and its members here.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use sluice_policy::RoomPolicy;
use sluice_rooms::{RoomKey, RoomSettings};

use super::session::{Membership, Session};
use crate::rules;

/// A member, and the offset after which its messages begin.
pub(crate) struct Member {
    pub(crate) session: Rc<Session>,
    pub(crate) from: u64,
}

/// A room that this worker has to do with.
pub(crate) struct Room {
    pub(crate) key: RoomKey,
    pub(crate) policy: RefCell<Arc<RoomPolicy>>,
    pub(crate) settings: Cell<RoomSettings>,
    pub(crate) members: RefCell<Vec<Member>>,
    /// How many who are about to be members need it to stay subscribed.
    awaited: Cell<u32>,
}

/// Keeps a room subscribed while somebody waits to become a member.
pub(crate) struct Pin(Rc<Room>);

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.awaited.set(self.0.awaited.get() - 1);
    }
}

impl Room {
    pub(crate) fn new(key: RoomKey, policy: Arc<RoomPolicy>) -> Rc<Self> {
        let settings = rules::settings(&policy);
        Rc::new(Self {
            key,
            policy: RefCell::new(policy),
            settings: Cell::new(settings),
            members: RefCell::default(),
            awaited: Cell::new(0),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.borrow().is_empty()
    }

    /// Whether nobody needs it to be subscribed.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_empty() && self.awaited.get() == 0
    }

    /// Keeps it subscribed, whoever leaves meanwhile.
    pub(crate) fn pin(self: &Rc<Self>) -> Pin {
        self.awaited.set(self.awaited.get() + 1);
        Pin(Rc::clone(self))
    }

    /// Has the room go by another policy from now on.
    pub(crate) fn set_policy(&self, policy: Arc<RoomPolicy>) {
        self.settings.set(rules::settings(&policy));
        let members = self.members.borrow().len();
        policy.tally.joined(members);
        self.policy.replace(policy).tally.left(members);
    }

    /// Adds a member whose messages begin after `from`.
    pub(crate) fn add(self: &Rc<Self>, session: &Rc<Session>, from: u64) {
        let mut members = self.members.borrow_mut();
        let index = Cell::new(members.len() as u32);
        members.push(Member {
            session: Rc::clone(session),
            from,
        });
        self.policy.borrow().tally.joined(1);
        let room = Rc::clone(self);
        let mut rooms = session.rooms.borrow_mut();
        rooms.push(Membership { room, index, from });
    }

    /// Takes out the member at `index`; the last one takes its place.
    pub(crate) fn remove(self: &Rc<Self>, index: u32) {
        let mut members = self.members.borrow_mut();
        let at = index as usize;
        if at >= members.len() {
            return;
        }
        members.swap_remove(at);
        self.policy.borrow().tally.left(1);
        if let Some(moved) = members.get(at) {
            let rooms = moved.session.rooms.borrow();
            if let Some(membership) = rooms.iter().find(|m| Rc::ptr_eq(&m.room, self)) {
                membership.index.set(index);
            }
        }
        // A room that was large once must not hold its memory for ever.
        if members.capacity() > 64 && members.len() * 4 < members.capacity() {
            members.shrink_to_fit();
        }
    }
}
