//! Rooms in which a session went on after a message, beside others that it is in.
//!
//! What it missed comes behind all that was delivered before, while its other rooms are read
//! further already. Several such rooms may be on their way at once, and a client may be cut off
//! between any two messages. So each message of them names all rooms that are read as far as it
//! says only because they were caught up with. A position that reaches no further and does not name
//! such a room was written before, and says nothing of it.

use std::sync::Arc;

use sluice_backbone::Missed;
use sluice_rooms::{Message, Reading, RoomKey, RoomMark};

use super::{Encoded, Hub, Session};

impl Session {
    /// The rooms that were caught up with, and up to where.
    pub(super) fn caught_up_rooms(&self) -> Vec<(RoomKey, u64)> {
        let rooms = self.rooms.borrow();
        let caught_up = rooms
            .iter()
            .map(|m| (m.room.key.clone(), self.caught_up_in(&m.room)));
        caught_up.filter(|(_, through)| *through > 0).collect()
    }

    /// Sends what it missed in a room.
    pub(super) fn send_missed(&self, missed: Missed) {
        for message in missed.messages {
            let read = message.offset();
            self.send_one(message, read);
        }
    }

    /// Sends messages of a room from before its messages there began: it has the later ones, up to
    /// an offset.
    pub(super) fn send_older(&self, missed: Missed, through: u64) {
        for message in missed.messages {
            self.send_one(message, through);
        }
    }

    fn send_one(&self, mut message: Arc<Message>, read: u64) {
        self.complete(&mut message, read);
        self.send_or_close(&Encoded::message(&self.namespace.name, message));
    }

    /// Has a message say how far its reader is with it: up to `read` in its own room, and in each
    /// room that was caught up with.
    fn complete(&self, message: &mut Arc<Message>, read: u64) {
        let (Some(mut reading), Some(room)) = (message.reading(), &message.room) else {
            return;
        };
        reading.name(RoomMark::of(room), read);
        for membership in self.rooms.borrow().iter() {
            let key = &membership.room.key;
            let caught_up = self.caught_up_in(&membership.room);
            if reading.is_silent_about(key, caught_up) {
                reading.name(RoomMark::of(key), caught_up);
            }
        }
        Arc::make_mut(message).read = Some(Arc::new(reading));
    }
}

impl Hub {
    /// How far a session's client has read in its rooms, by what it says; none where nobody can tell.
    pub(super) fn read_up_to(
        &self,
        session: &Session,
        read: Option<&Reading>,
    ) -> Option<Vec<(RoomKey, u64)>> {
        let Some(read) = read.filter(|read| session.came().as_ref() != Some(*read)) else {
            // Who says the same as when it came has got nothing since.
            return Some(session.record_rooms());
        };
        if read.is_lost() {
            return None;
        }
        let (mut unread, mut known) = (Vec::new(), Vec::new());
        for membership in session.rooms.borrow().iter() {
            let key = membership.room.key.clone();
            if read.is_silent_about(&key, session.caught_up_in(&membership.room)) {
                unread.push((key, membership.from));
            } else {
                known.push((key, membership.from));
            }
        }
        self.shared.backbone.read_up_to(&mut known, read);
        known.append(&mut unread);
        Some(known)
    }
}
