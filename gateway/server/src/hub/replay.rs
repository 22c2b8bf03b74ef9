//! What a session missed, sent as fast as its client reads.
//!
//! It goes in small parts, each once all is written that waited before, so that newer messages of
//! other kinds never wait behind all of it. Messages with a place in the same order come behind it.

mod encodings;

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use sluice_net::Cause;
use sluice_rooms::{Message, RoomKey};

pub(super) use self::encodings::Encodings;
use super::{Encoded, Hub, HubCounters, Session};

/// The most messages that wait in a replay, what was missed and what came since. A client that
/// is further behind comes back and recovers again.
const MAX_MESSAGES: usize = 100_000;

/// The most bytes of messages that come while a replay waits, behind it. They may be gone from the history by
/// the time they are sent, so that nobody but the replay holds them.
const MAX_NEWER: usize = 16 << 20;

/// Messages that are to be sent before any newer one.
#[derive(Debug)]
pub(crate) struct Replay {
    waiting: VecDeque<Arc<Message>>,
    /// Of all that wait.
    bytes: usize,
    /// Of those that have come since it began.
    newer: usize,
    counters: Arc<HubCounters>,
}

impl Replay {
    /// A replay of these messages; none where there are none.
    pub(super) fn of(
        messages: Vec<Arc<Message>>,
        counters: &Arc<HubCounters>,
    ) -> Option<Box<Self>> {
        let bytes = messages.iter().map(|message| message.size()).sum();
        counters.replay_bytes.add(bytes as u64);
        let replay = Self {
            waiting: messages.into(),
            bytes,
            newer: 0,
            counters: Arc::clone(counters),
        };
        (!replay.waiting.is_empty()).then(|| Box::new(replay))
    }

    /// The offset before the first message of a room: all of it that is to be sent has a greater
    /// one. None where nothing of the room waits.
    pub(super) fn begins_after(&self, room: &RoomKey) -> Option<u64> {
        let mut waiting = self.waiting.iter();
        let first = waiting.find(|message| message.room.as_ref() == Some(room))?;
        Some(first.offset().saturating_sub(1))
    }

    /// A newer message waits behind the others. False where there are too many.
    fn add(&mut self, message: &Arc<Message>) -> bool {
        let bytes = message.size();
        self.bytes += bytes;
        self.newer += bytes;
        self.counters.replay_bytes.add(bytes as u64);
        self.waiting.push_back(Arc::clone(message));
        self.waiting.len() <= MAX_MESSAGES && self.newer <= MAX_NEWER
    }

    /// The first message is sent.
    fn advance(&mut self) {
        if let Some(sent) = self.waiting.pop_front() {
            self.bytes -= sent.size();
            self.counters.replay_bytes.sub(sent.size() as u64);
            self.counters.deliveries.add(1);
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.counters.replay_bytes.sub(self.bytes as u64);
    }
}

impl Session {
    /// Puts a kept message behind the replay. False where there is none, and the message can be
    /// sent as it is.
    pub(super) fn defer(&self, message: &Encoded) -> bool {
        let (Some(mut replay), Some(message)) = (self.replay(), message.kept()) else {
            return false;
        };
        let fits = replay.add(message);
        drop(replay);
        if !fits {
            self.close(Cause::SlowConsumer);
        }
        true
    }
}

impl Hub {
    /// A session's client was told that it is connected: what waited for that follows.
    pub(crate) fn told_connected(self: &Rc<Self>, session: &Rc<Session>) {
        if session.attached().is_some() {
            self.connected_attached(session);
        } else {
            self.send_replay(session);
        }
    }

    /// Sends a session's replay, now as far as half of what may wait for the connection and the
    /// rest as the client reads.
    fn send_replay(self: &Rc<Self>, session: &Rc<Session>) {
        let half = self.policy.borrow().limits.outbound_bytes / 2;
        if !self.send_some(session, half.saturating_sub(session.queued_bytes())) {
            return;
        }
        let (hub, weak) = (Rc::downgrade(self), Rc::downgrade(session));
        session.refill_with(Box::new(move |room| {
            let (hub, session) = (hub.upgrade(), weak.upgrade());
            hub.zip(session)
                .is_some_and(|(hub, session)| hub.send_some(&session, room))
        }));
    }

    /// Sends so many bytes of a replay, and a message more. Says whether there is more.
    fn send_some(&self, session: &Session, bytes: usize) -> bool {
        if session.ended.get() || session.is_detached() {
            return false;
        }
        let Some(mut replay) = session.replay() else {
            return false;
        };
        let most = session.queued_bytes() + bytes;
        while let Some(message) = replay.waiting.front() {
            let namespace = &session.namespace.name;
            let encoded = self.encodings.of(namespace, message);
            if session.queued_bytes() > most || session.send(&encoded).is_err() {
                return true;
            }
            replay.advance();
        }
        drop(replay);
        session.set_replay(None);
        false
    }
}
