//! The rooms of an application's namespace, on one worker.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use rustc_hash::FxHashMap;
use sluice_rooms::SessionId;

use super::{Attached, Session};

/// Sessions in no order, found by their handles.
#[derive(Default)]
pub(super) struct Members {
    list: Vec<Rc<Session>>,
    places: FxHashMap<u64, usize>,
}

impl Members {
    fn insert(&mut self, handle: u64, session: &Rc<Session>) -> bool {
        if self.places.contains_key(&handle) {
            return false;
        }
        self.places.insert(handle, self.list.len());
        self.list.push(Rc::clone(session));
        true
    }

    fn remove(&mut self, handle: u64) -> bool {
        let Some(place) = self.places.remove(&handle) else {
            return false;
        };
        self.list.swap_remove(place);
        if let Some(moved) = self.list.get(place).and_then(|session| session.attached()) {
            self.places.insert(moved.handle, place);
        }
        true
    }

    fn contains(&self, handle: u64) -> bool {
        self.places.contains_key(&handle)
    }
}

/// One namespace.
#[derive(Default)]
pub(super) struct AttachedNamespace {
    everyone: RefCell<Members>,
    /// By the ids that applications know them by, which are rooms too.
    ids: RefCell<FxHashMap<SessionId, Rc<Session>>>,
    /// Applications choose the names, and they often have clients choose them: the map's hashes
    /// are seeded.
    rooms: RefCell<HashMap<Arc<str>, Members>>,
}

impl AttachedNamespace {
    pub(super) fn add(&self, session: &Rc<Session>, attached: &Attached) {
        self.everyone.borrow_mut().insert(attached.handle, session);
        self.ids.borrow_mut().insert(session.id, Rc::clone(session));
    }

    /// The session of that id.
    pub(super) fn of_id(&self, id: &str) -> Option<Rc<Session>> {
        self.ids.borrow().get(&SessionId::parse(id)?).cloned()
    }

    /// Puts a session into a room, behind an emission of that number. Whether it was not in it.
    pub(super) fn join(
        &self,
        session: &Rc<Session>,
        attached: &Attached,
        room: &Arc<str>,
        seq: u64,
    ) -> bool {
        let mut rooms = self.rooms.borrow_mut();
        let members = rooms.entry(Arc::clone(room)).or_default();
        let new = members.insert(attached.handle, session);
        if new {
            attached.rooms.borrow_mut().push(Arc::clone(room));
            attached.trail.borrow_mut().join(room, seq);
        }
        new
    }

    /// Takes a session out of a room, behind an emission of that number. Whether it was in it.
    pub(super) fn leave(&self, attached: &Attached, room: &str, seq: u64) -> bool {
        let mut rooms = self.rooms.borrow_mut();
        let Some(members) = rooms.get_mut(room) else {
            return false;
        };
        let was = members.remove(attached.handle);
        if members.list.is_empty() {
            rooms.remove(room);
        }
        drop(rooms);
        attached.rooms.borrow_mut().retain(|name| &**name != room);
        attached.trail.borrow_mut().leave(room, seq);
        was
    }

    /// Takes a session out of everything.
    pub(super) fn remove(&self, session: &Session, attached: &Attached) {
        self.ids.borrow_mut().remove(&session.id);
        for room in attached.rooms.take() {
            self.leave(attached, &room, u64::MAX);
        }
        self.everyone.borrow_mut().remove(attached.handle);
    }

    /// All sessions of the namespace.
    pub(super) fn everyone(&self) -> Vec<Rc<Session>> {
        self.everyone.borrow().list.clone()
    }

    /// Those of a room, which a session's id also is.
    pub(super) fn members(&self, room: &str) -> Vec<Rc<Session>> {
        let rooms = self.rooms.borrow();
        let members = rooms.get(room).map(|members| members.list.clone());
        let mut found = members.unwrap_or_default();
        found.extend(self.of_id(room));
        found
    }

    pub(super) fn is_in(&self, attached: &Attached, room: &str) -> bool {
        let rooms = self.rooms.borrow();
        rooms
            .get(room)
            .is_some_and(|members| members.contains(attached.handle))
    }
}
