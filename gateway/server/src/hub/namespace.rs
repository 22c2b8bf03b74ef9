//! A namespace on one worker.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};

use super::room::Room;

/// With fewer rooms than this, those without members are not looked for.
const KEEP: usize = 16_384;

/// A namespace's rooms, as far as this worker has to do with them.
pub(crate) struct Namespace {
    pub(crate) name: Arc<str>,
    /// Clients choose the names, so the map's hashes are seeded.
    pub(crate) rooms: RefCell<HashMap<Arc<str>, Rc<Room>>>,
    /// With so many rooms those without members are forgotten.
    forget_at: Cell<usize>,
}

impl Namespace {
    pub(crate) fn new(name: &str) -> Rc<Self> {
        Rc::new(Self {
            name: name.into(),
            rooms: RefCell::default(),
            forget_at: Cell::new(KEEP),
        })
    }

    /// A room that this worker knows.
    pub(crate) fn known(&self, name: &str) -> Option<Rc<Room>> {
        self.rooms.borrow().get(name).cloned()
    }

    /// Remembers a room.
    pub(crate) fn insert(&self, room: &Rc<Room>) {
        let mut rooms = self.rooms.borrow_mut();
        if rooms.len() >= self.forget_at.get() {
            rooms.retain(|_, room| !room.is_idle());
            // Looking at all of them must stay rare, however many stay.
            self.forget_at.set(KEEP.max(rooms.len() * 2));
        }
        rooms.insert(Arc::clone(&room.key.name), Rc::clone(room));
    }

    /// Forgets rooms that nobody here is in.
    pub(crate) fn forget_empty(&self) {
        self.rooms.borrow_mut().retain(|_, room| !room.is_idle());
    }
}
