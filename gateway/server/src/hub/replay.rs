//! What a session missed, sent no faster than its client reads.

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use sluice_net::Cause;
use sluice_rooms::Message;

use super::{Encoded, Hub, Session};

/// The most messages that wait in a replay, what was missed and what came since. A client that
/// is further behind comes back and recovers again.
const MAX_REPLAY: usize = 100_000;

/// Messages that are to be sent before any newer one.
#[derive(Debug)]
pub(crate) struct Replay(VecDeque<Arc<Message>>);

impl Replay {
    /// A replay of these messages; none where there are none.
    pub(super) fn of(messages: Vec<Arc<Message>>) -> Option<Box<Self>> {
        (!messages.is_empty()).then(|| Box::new(Self(messages.into())))
    }

    /// The offset before its first message: all that is to be sent has a greater one.
    pub(super) fn begins_after(&self) -> u64 {
        let first = self.0.front();
        first.map_or(u64::MAX, |message| message.offset().saturating_sub(1))
    }
}

impl Session {
    /// Puts a kept message behind the replay. False where there is none, and the message can be
    /// sent as it is.
    pub(super) fn defer(&self, message: &Encoded) -> bool {
        let mut replay = self.replay.borrow_mut();
        let (Some(replay), Some(message)) = (replay.as_mut(), message.kept()) else {
            return false;
        };
        replay.0.push_back(Arc::clone(message));
        if replay.0.len() > MAX_REPLAY {
            self.close(Cause::SlowConsumer);
        }
        true
    }
}

impl Hub {
    /// Sends a session's replay, now as far as it may wait for the connection and the rest as the
    /// client reads.
    pub(crate) fn send_replay(&self, session: &Rc<Session>) {
        if !self.send_some(session) {
            self.lagging.borrow_mut().push(Rc::clone(session));
        }
    }

    /// Goes on with the replays that did not fit at once.
    pub(super) fn send_lagging(&self) {
        let mut lagging = std::mem::take(&mut *self.lagging.borrow_mut());
        lagging.retain(|session| {
            !session.ended.get() && !session.is_detached() && !self.send_some(session)
        });
        self.lagging.borrow_mut().append(&mut lagging);
    }

    /// Whether the whole replay is sent.
    fn send_some(&self, session: &Session) -> bool {
        let mut replay = session.replay.borrow_mut();
        let Some(waiting) = replay.as_mut() else {
            return true;
        };
        let enough = self.policy.borrow().limits.outbound_bytes / 2;
        while let Some(message) = waiting.0.front() {
            // Half of what may wait is left to messages of other kinds.
            if session.queued_bytes() > enough {
                return false;
            }
            let encoded = Encoded::message(&session.namespace.name, Arc::clone(message));
            if session.send(&encoded).is_err() {
                return false;
            }
            self.counters.deliveries.add(1);
            waiting.0.pop_front();
        }
        *replay = None;
        true
    }
}
