//! What an instance does to all who are selected.

use std::{rc::Rc, sync::Arc};

use rustc_hash::FxHashSet;
use sluice_applications::{Cast, Deed, Emission, Instance, List};
use sluice_contract::application::{Entry, Selector};
use sluice_net::Cause;

use super::{
    super::{Encoded, Hub, Session},
    Attached,
    members::AttachedNamespace,
};

impl Hub {
    pub(super) fn cast(self: &Rc<Self>, cast: &Arc<Cast>) {
        self.attached.seq.set(cast.seq);
        let selected = self.selected(&cast.selector);
        match &cast.deed {
            Deed::Emit(emission) => self.emit_to(cast, emission, &selected),
            Deed::Join(rooms) => self.join_attached(&cast.instance, &selected, rooms),
            Deed::Leave(rooms) => self.leave_attached(&cast.instance, &selected, rooms),
            Deed::Close(close) => {
                for session in &selected {
                    self.close_attached(session, *close, Some(&cast.instance));
                }
            }
            Deed::List(list) => list_of(cast, list, &selected),
        }
    }

    fn emit_to(self: &Rc<Self>, cast: &Arc<Cast>, emission: &Emission, selected: &[Rc<Session>]) {
        let Some(array) = self.array_of(emission) else {
            return;
        };
        let Some(first) = selected.first() else {
            return;
        };
        if emission.call.is_some() {
            for session in selected {
                self.ask_of(cast, session);
            }
            return;
        }
        let encoded = Encoded::emitted(
            &first.namespace.name,
            array,
            &emission.attachments,
            emission.mark,
        );
        let (encoded, volatile) = (Rc::new(encoded), emission.flags.volatile);
        for session in selected {
            if let Some(attached) = early(session) {
                let (encoded, again) = (Rc::clone(&encoded), Rc::clone(session));
                // All to whom it is put off share it.
                attached.put_off(0, move || Self::emit_encoded(&again, &encoded, volatile));
            } else {
                Self::emit_encoded(session, &encoded, volatile);
            }
        }
        self.counters.deliveries.add(selected.len() as u64);
    }

    /// Emits to a session what is a question to many, and was found to be what clients can read.
    fn ask_of(self: &Rc<Self>, cast: &Arc<Cast>, session: &Rc<Session>) {
        if let Some(attached) = early(session) {
            let (hub, cast, again) = (Rc::clone(self), Arc::clone(cast), Rc::clone(session));
            // All to whom it is put off share it.
            return attached.put_off(0, move || hub.ask_of(&cast, &again));
        }
        let Deed::Emit(emission) = &cast.deed else {
            return;
        };
        let asked = cast.ask(session.id.to_string());
        let array = std::str::from_utf8(&emission.args).ok();
        if let (Some(asked), Some(array), Some(attached)) = (asked, array, session.attached()) {
            let handle = attached.handle;
            self.emit_question(session, emission, array, move |args, attachments| {
                asked.answer(handle, args.as_bytes(), &attachments);
            });
        }
    }

    fn selected(&self, selector: &Selector) -> Vec<Rc<Session>> {
        let namespace = self.attached.namespace(&selector.namespace);
        let mut found = match (&*selector.rooms, selector.names()) {
            _ if selector.is_everyone() => namespace.everyone(),
            ([room], 1) => namespace.members(room),
            _ => self.union(&namespace, selector),
        };
        if !selector.except.is_empty() {
            let excepted = |session: &Rc<Session>, room: &Arc<str>| {
                let is_in = |attached| namespace.is_in(attached, room);
                session.attached().is_some_and(is_in) || session.id.to_string() == **room
            };
            found.retain(|session| !selector.except.iter().any(|room| excepted(session, room)));
        }
        found.retain(|session| early(session).is_some() || !session.is_detached());
        found
    }

    fn union(&self, namespace: &AttachedNamespace, selector: &Selector) -> Vec<Rc<Session>> {
        let rooms = selector.rooms.iter();
        let mut found: Vec<_> = rooms.flat_map(|room| namespace.members(room)).collect();
        found.extend(
            selector
                .sessions
                .iter()
                .filter_map(|id| namespace.of_id(id)),
        );
        let users = self.users.borrow();
        for session in selector
            .users
            .iter()
            .filter_map(|user| users.get(user))
            .flat_map(|sessions| sessions.iter())
        {
            if session.namespace.name == selector.namespace && session.attached().is_some() {
                found.push(Rc::clone(session));
            }
        }
        let mut seen = FxHashSet::default();
        found.retain(|session| seen.insert(session.id));
        found
    }

    fn join_attached(&self, by: &Arc<Instance>, selected: &[Rc<Session>], rooms: &[Arc<str>]) {
        for session in selected {
            let joined = self.join_rooms(session, rooms);
            tell_rooms(by, session, &joined, &[]);
        }
    }

    fn leave_attached(&self, by: &Arc<Instance>, selected: &[Rc<Session>], rooms: &[Arc<str>]) {
        for session in selected {
            let left = self.leave_rooms(session, rooms);
            tell_rooms(by, session, &[], &left);
        }
    }

    /// Puts a session into rooms. Those that it was not in.
    pub(super) fn join_rooms(&self, session: &Rc<Session>, rooms: &[Arc<str>]) -> Vec<Arc<str>> {
        let Some(attached) = session.attached() else {
            return Vec::new();
        };
        let namespace = self.attached.namespace(&session.namespace.name);
        let new = rooms
            .iter()
            .filter(|room| namespace.join(session, attached, room, self.attached.seq.get()));
        new.cloned().collect()
    }

    /// Takes a session out of rooms. Those that it was in.
    pub(super) fn leave_rooms(&self, session: &Session, rooms: &[Arc<str>]) -> Vec<Arc<str>> {
        let Some(attached) = session.attached() else {
            return Vec::new();
        };
        let namespace = self.attached.namespace(&session.namespace.name);
        let seq = self.attached.seq.get();
        let left = rooms
            .iter()
            .filter(|room| namespace.leave(attached, room, seq));
        left.cloned().collect()
    }

    /// The array of what is emitted, where a client could read it.
    pub(super) fn array_of<'a>(&self, emission: &'a Emission) -> Option<&'a str> {
        let array = std::str::from_utf8(&emission.args).ok();
        let array = array.filter(|array| {
            let attachments = emission.attachments.len();
            sluice_codec::sio::args(array).is_ok()
                && sluice_codec::sio::placeholders(array, attachments).is_ok()
        });
        if array.is_none() {
            self.counters.unreadable_emissions.add(1);
        }
        array
    }
}

/// The session's part in the application, where its client does not know yet that it is connected.
fn early(session: &Session) -> Option<&Attached> {
    let attached = session.attached();
    attached.filter(|attached| !attached.is_connected())
}

/// Tells a session's instance of its rooms, where another one has changed them.
fn tell_rooms(by: &Arc<Instance>, session: &Session, joined: &[Arc<str>], left: &[Arc<str>]) {
    if joined.is_empty() && left.is_empty() {
        return;
    }
    let Some(attached) = session.attached().filter(|attached| !attached.is_of(by)) else {
        return;
    };
    if let Some(instance) = attached.instance() {
        let json = serde_json::json!({ "joined": joined, "left": left }).to_string();
        let entry = Entry::new("rooms").number(attached.handle);
        // An instance that takes nothing more loses its sessions, and is told with the next one.
        let _ = instance.say(0, &entry.body(json.as_bytes()));
    }
}

fn list_of(cast: &Cast, list: &List, selected: &[Rc<Session>]) {
    for session in selected {
        let id = session.id.to_string();
        if list.after.as_deref().is_some_and(|after| *id <= *after) {
            continue;
        }
        let Some(attached) = session.attached() else {
            continue;
        };
        let wants = |field: &str| list.fields.iter().any(|name| &**name == field);
        let mut json = serde_json::json!({
            "session": id,
            "user": session.user(),
            "handle": attached.handle,
            "connection": attached.origin.connection,
        });
        if wants("rooms") {
            json["rooms"] = serde_json::json!(*attached.rooms.borrow());
        }
        if wants("data") {
            json["data"] = serde_json::json!(*attached.data.borrow());
        }
        if wants("handshake") {
            json["handshake"] = serde_json::json!(attached.origin.handshake);
            json["auth"] = serde_json::json!(attached.origin.auth);
        }
        cast.add(id, json.to_string());
    }
}

/// Why a session ends that an application closes.
pub(super) const CLOSED: Cause = Cause::Disconnected;
