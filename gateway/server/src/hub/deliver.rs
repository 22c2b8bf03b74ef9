//! From the backbone to the members on this worker.

use std::{rc::Rc, sync::Arc, time::Instant};

use sluice_backbone::{BackboneEvent, SessionInfo};
use sluice_rooms::{Message, RoomKey, SlowConsumer};

use super::{Encoded, Hub, Session, timers::TICK};

/// The most messages whose delivery is timed at once.
const MAX_UNDELIVERED: usize = 16_384;

impl Hub {
    pub(super) fn deliver(self: &Rc<Self>, event: BackboneEvent) {
        match event {
            BackboneEvent::Room(message) => self.deliver_to_room(message),
            BackboneEvent::Presence(room, news) => {
                self.to_members(&room, &Encoded::presence(&room, &news));
            }
            BackboneEvent::Command(command, gather) => self.command(&command, gather),
            BackboneEvent::Sessions(user, limit, gather) => {
                self.list(user.as_ref(), limit, |info| gather.add(info));
            }
            BackboneEvent::Claim(claim, gather) => self.claimed(claim, gather),
            BackboneEvent::Lost(room) => self.part_members(&room),
            BackboneEvent::Moved(session) => self.moved(session),
            BackboneEvent::StoreAll => self.save_all(),
            BackboneEvent::Completion(completion) => completion.give(),
        }
    }

    fn deliver_to_room(&self, message: Arc<Message>) {
        let Some(key) = message.room.clone() else {
            return;
        };
        let Some(room) = self.namespace(&key.namespace).known(&key.name) else {
            return;
        };
        let (offset, except) = (message.offset(), message.except);
        let accepted = message.accepted;
        let slow = room.settings.get().slow_consumer;
        let encoded = Encoded::message(&key.namespace, message);
        let mut delivered = 0;
        for member in &*room.members.borrow() {
            // What a member got with its history comes again here.
            let seen = offset != 0 && offset <= member.from;
            if seen || except.is_some_and(|except| except == member.session.id) {
                continue;
            }
            if !member.session.defer(&encoded) {
                self.send(&member.session, &encoded, slow);
                delivered += 1;
            }
        }
        if delivered > 0 {
            self.counters.deliveries.add(delivered);
            self.owe_observation(accepted);
        }
        self.trace_delivery(&room, offset, delivered);
    }

    fn send(&self, session: &Session, encoded: &Encoded, slow: SlowConsumer) {
        match (session.send(encoded), slow) {
            (Ok(()), _) => {}
            (Err(_), SlowConsumer::Drop) => self.counters.dropped.add(1),
            (Err(_), SlowConsumer::Close) => session.close(sluice_net::Cause::SlowConsumer),
        }
    }

    fn to_members(&self, key: &RoomKey, encoded: &Encoded) {
        let Some(room) = self.namespace(&key.namespace).known(&key.name) else {
            return;
        };
        let slow = room.settings.get().slow_consumer;
        for member in &*room.members.borrow() {
            self.send(&member.session, encoded, slow);
        }
    }

    /// Closes the connections of a room's members, who come back, recover, and learn there that
    /// they cannot.
    fn part_members(&self, key: &RoomKey) {
        let room = self.namespace(&key.namespace).known(&key.name);
        let members = room.map(|room| {
            let members = room.members.borrow();
            members
                .iter()
                .map(|m| Rc::clone(&m.session))
                .collect::<Vec<_>>()
        });
        for session in members.unwrap_or_default() {
            session.close(sluice_net::Cause::HistoryLost);
        }
    }

    fn list(&self, user: Option<&Arc<str>>, limit: usize, mut each: impl FnMut(SessionInfo)) {
        if let Some(user) = user {
            let users = self.users.borrow();
            let sessions = users.get(user).into_iter().flat_map(|all| all.iter());
            return sessions
                .take(limit)
                .map(|session| info(session))
                .for_each(each);
        }
        for session in self.sessions.borrow().values().take(limit) {
            each(info(session));
        }
    }

    /// Remembers a message that is delivered but not yet written.
    pub(super) fn owe_observation(&self, accepted: Instant) {
        let mut undelivered = self.undelivered.borrow_mut();
        if undelivered.len() < MAX_UNDELIVERED {
            undelivered.push(accepted);
        }
    }

    /// All that was owed is written: so long did delivery take.
    pub(super) fn observe_delivery(&self) {
        for accepted in self.undelivered.borrow_mut().drain(..) {
            self.counters.observe(accepted.elapsed());
        }
    }

    /// Nothing was written for a whole tick: what is delivered waits for polls, or for clients
    /// that do not read.
    pub(super) fn observe_overdue(&self) {
        let oldest = self.undelivered.borrow().first().copied();
        if oldest.is_some_and(|accepted| accepted.elapsed() > TICK) {
            self.observe_delivery();
        }
    }
}

fn info(session: &Session) -> SessionInfo {
    let rooms = session.record_rooms().into_iter();
    SessionInfo {
        session: session.id,
        user: session.user(),
        namespace: Arc::clone(&session.namespace.name),
        protocol: session.protocol(),
        connected: !session.is_detached(),
        rooms: rooms.map(|(key, _)| key.name).collect(),
    }
}
